/* rowsec.h - SQL that tells whether row security hides rows of a table from whoever asks.
 *
 * Such a table looks empty, without an error.  Only a policy for reading whose condition is the
 * constant true shows all rows, and only where no restrictive one takes some away again. */
#ifndef CALRELAY_COMMON_ROWSEC_H
#define CALRELAY_COMMON_ROWSEC_H

#define ROWSEC_POLICY(table, kind, compared)                                                       \
	"EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = " table " AND " kind                   \
	" p.polpermissive"                                                                         \
	" AND p.polcmd IN ('r', '*') AND pg_get_expr(p.polqual, p.polrelid) " compared " 'true'"   \
	" AND EXISTS (SELECT FROM unnest(p.polroles) r WHERE r = 0 OR pg_has_role(r, 'USAGE')))"

/* A condition; table: an expression of a table's oid. */
#define ROWSEC_HIDES(table)                                                                        \
	"(row_security_active(" table                                                              \
	") AND (NOT " ROWSEC_POLICY(table, "", "=") " OR " ROWSEC_POLICY(table, "NOT", "<>") "))"

#endif
