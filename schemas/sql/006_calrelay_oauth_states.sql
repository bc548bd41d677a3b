-- Sign-ins under way at Microsoft.  A state works once: the callback takes it by DELETE … RETURNING.
CREATE TABLE public.calrelay_oauth_states (
    state_hash text PRIMARY KEY,
    session_hash text NOT NULL,
    user_id uuid NOT NULL,
    code_verifier text NOT NULL,
    nonce text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

COMMENT ON COLUMN public.calrelay_oauth_states.code_verifier IS 'sealed, as the tokens are';

CREATE INDEX calrelay_oauth_states_age ON public.calrelay_oauth_states (created_at);

ALTER TABLE public.calrelay_oauth_states ENABLE ROW LEVEL SECURITY;
