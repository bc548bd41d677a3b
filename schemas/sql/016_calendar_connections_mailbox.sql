-- One mailbox belongs to one person: each of two would take the other's events for orphans, and remove
-- them.  The callback says so to the second one; this holds where both come at once.
CREATE UNIQUE INDEX calendar_connections_mailbox
    ON public.calendar_connections (tenant_id, account_id);
