-- The worker never removes a row of the mapping: tombstones stay, and all goes with its connection.
REVOKE DELETE ON public.synced_calendar_events FROM calrelay_worker;
