-- A disconnect takes effect where its row is inserted, whoever inserts it.
--
-- The worker must not find a connection that nobody ended: it removes active ones for nobody, since an
-- active one may have been connected again.  Who keeps the events needs the tokens no more, a removal
-- needs them till its end; the new version keeps a renewal that is under way from bringing them back.
CREATE FUNCTION public.calrelay_begin_disconnect() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    UPDATE public.calendar_connections
        SET status = 'disconnecting', status_reason = NULL, updated_at = clock_timestamp(),
            access_token = CASE WHEN NEW.remove_events THEN access_token ELSE '' END,
            refresh_token = CASE WHEN NEW.remove_events THEN refresh_token ELSE '' END,
            token_version = token_version + CASE WHEN NEW.remove_events THEN 0 ELSE 1 END
        WHERE user_id = NEW.user_id AND provider = 'microsoft' AND status <> 'disconnecting';
    RETURN NULL;
END
$$;

CREATE TRIGGER calrelay_begin_disconnect AFTER INSERT ON public.calendar_sync_requests
    FOR EACH ROW WHEN (NEW.kind = 'disconnect' AND NEW.state = 'requested')
    EXECUTE FUNCTION public.calrelay_begin_disconnect();
