-- One mailbox belongs to one person, also where two sign in at the same moment: each sees nobody there,
-- and the later one now waits for the other, is refused, and looks again.  Where two people share a
-- mailbox already, the error names it: delete the connection of whoever is not its owner, then go on.
CREATE UNIQUE INDEX calendar_connections_one_person
    ON public.calendar_connections (tenant_id, account_id);
DROP INDEX public.calendar_connections_mailbox;
