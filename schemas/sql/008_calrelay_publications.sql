-- What the producer's replication slot sees.  calendar_connections is never published.
--
-- FULL, because a change has to say what was there before.  With the default identity (the primary key)
-- a re-assignment never names the old user, a removal names nobody, and a project's update cannot be
-- told from one that changes nothing we show.
ALTER TABLE public.project_assignments REPLICA IDENTITY FULL;
ALTER TABLE public.projects REPLICA IDENTITY FULL;

CREATE PUBLICATION calrelay FOR TABLE public.projects, public.project_assignments;

-- Inserts only: the progress that the worker writes into a request must not come back as an event.
CREATE PUBLICATION calrelay_requests FOR TABLE public.calendar_sync_requests
    WITH (publish = 'insert');
