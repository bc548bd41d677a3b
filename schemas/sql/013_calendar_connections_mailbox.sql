-- One mailbox belongs to one person: each of two would take the other's events for orphans, and remove
-- them.  A sign-in looks here for somebody else, and is refused.  Not unique: a database in which two
-- people share one already has to take this migration, too.
CREATE INDEX calendar_connections_mailbox
    ON public.calendar_connections (tenant_id, account_id);
