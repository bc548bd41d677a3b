-- When its tokens were last got from Microsoft: a refresh token that nobody uses for 90 days is gone, so
-- the worker uses each in time.  updated_at tells less: other things change it, too.
ALTER TABLE public.calendar_connections ADD COLUMN refreshed_at timestamptz NOT NULL DEFAULT now();
UPDATE public.calendar_connections SET refreshed_at = coalesce(updated_at, created_at, refreshed_at);
