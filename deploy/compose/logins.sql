-- The login roles of the compose file, before the migrations run: they find the three roles made.
\getenv password CALRELAY_DATABASE_PASSWORD
CREATE ROLE calrelay_producer NOLOGIN;
CREATE ROLE calrelay_worker NOLOGIN;
CREATE ROLE calrelay_connect NOLOGIN;
CREATE ROLE producer_login LOGIN REPLICATION PASSWORD :'password' IN ROLE calrelay_producer;
CREATE ROLE worker_login LOGIN PASSWORD :'password' IN ROLE calrelay_worker;
CREATE ROLE connect_login LOGIN PASSWORD :'password' IN ROLE calrelay_connect;
