"""Rights: staging's roles have the same rights on the new objects as on the old ones.

Objects that are new in staging get the rights of its default privileges; where production revoked a right from PUBLIC, it
is revoked there, too.
"""

from __future__ import annotations

from collections.abc import Iterator

from jobs.sanitize.connection import Connection
from jobs.sanitize.dialect import quoted

_KINDS = "CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END"
_ARGUMENTS = "replace(pg_get_function_identity_arguments({}.oid), quote_ident({}::text) || '.', '')"
_PAIRS = f"""
SELECT format('%%s %%I.%%I', {_KINDS}, %(shadow)s::text, w.relname) AS what, '' AS part, c.relacl AS was, w.relacl AS now,
  CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char" AS kind, c.relowner AS owner, w.relowner AS maker,
  format('%%s %%I.%%I', CASE c.relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END,
    %(shadow)s::text, w.relname) AS altered,
  c.relkind <> 'S' OR NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = w.oid AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0) AS own
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = %(schema)s
JOIN pg_class w ON w.relname = c.relname AND w.relkind = c.relkind JOIN pg_namespace s ON s.oid = w.relnamespace AND s.nspname = %(shadow)s
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S')
UNION ALL
SELECT format('TABLE %%I.%%I', %(shadow)s::text, w.relname), format(' (%%I)', b.attname), a.attacl, b.attacl,
  'c', c.relowner, w.relowner, NULL, false
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = %(schema)s JOIN pg_attribute a ON a.attrelid = c.oid
JOIN pg_class w ON w.relname = c.relname AND w.relkind = c.relkind JOIN pg_namespace s ON s.oid = w.relnamespace AND s.nspname = %(shadow)s
JOIN pg_attribute b ON b.attrelid = w.oid AND b.attname = a.attname
WHERE c.relkind IN ('r', 'p', 'v', 'm') AND (a.attacl IS NOT NULL OR b.attacl IS NOT NULL)
UNION ALL
SELECT format('ROUTINE %%I.%%I(%%s)', %(shadow)s::text, w.proname, pg_get_function_identity_arguments(w.oid)), '', p.proacl, w.proacl, 'f',
  p.proowner, w.proowner, format('ROUTINE %%I.%%I(%%s)', %(shadow)s::text, w.proname, pg_get_function_identity_arguments(w.oid)), true
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace AND n.nspname = %(schema)s
JOIN pg_proc w ON w.proname = p.proname JOIN pg_namespace s ON s.oid = w.pronamespace AND s.nspname = %(shadow)s
WHERE {_ARGUMENTS.format("p", "%(schema)s")} = {_ARGUMENTS.format("w", "%(shadow)s")}
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid IN (p.oid, w.oid) AND d.deptype IN ('e', 'i'))
UNION ALL
SELECT format('TYPE %%I.%%I', %(shadow)s::text, w.typname), '', t.typacl, w.typacl, 'T', t.typowner, w.typowner,
  format('TYPE %%I.%%I', %(shadow)s::text, w.typname), true
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace AND n.nspname = %(schema)s
JOIN pg_type w ON w.typname = t.typname AND w.typtype = t.typtype JOIN pg_namespace s ON s.oid = w.typnamespace AND s.nspname = %(shadow)s
WHERE t.typtype IN ('e', 'd', 'r') OR EXISTS (SELECT FROM pg_class k WHERE k.oid = w.typrelid AND k.relkind = 'c')
UNION ALL
SELECT format('SCHEMA %%I', %(shadow)s::text), '', n.nspacl, s.nspacl, 'n', n.nspowner, s.nspowner, format('SCHEMA %%I', %(shadow)s::text), true
FROM pg_namespace n JOIN pg_namespace s ON s.nspname = %(shadow)s WHERE n.nspname = %(schema)s
"""
_CHANGES = f"""
WITH pair AS ({_PAIRS}),
was AS (SELECT p.what, p.part, p.kind, p.now, p.owner, x.* FROM pair p
  CROSS JOIN LATERAL aclexplode(coalesce(p.was, acldefault(p.kind, p.owner))) x WHERE x.grantee <> p.owner),
now AS (SELECT p.what, p.part, p.maker, x.* FROM pair p
  CROSS JOIN LATERAL aclexplode(coalesce(p.now, acldefault(p.kind, p.maker))) x WHERE x.grantee <> p.maker)
SELECT 1, format('REVOKE %%s%%s ON %%s FROM %%s', n.privilege_type, n.part, n.what,
  CASE n.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(n.grantee)) END)
FROM now n WHERE NOT EXISTS (SELECT FROM was w WHERE (w.what, w.part, w.grantee, w.privilege_type) = (n.what, n.part, n.grantee, n.privilege_type))
UNION ALL
SELECT 2, format('GRANT %%s%%s ON %%s TO %%s%%s', w.privilege_type, w.part, w.what,
  CASE w.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(w.grantee)) END,
  CASE WHEN w.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
FROM was w WHERE NOT EXISTS (SELECT FROM now n WHERE (n.what, n.part, n.grantee, n.privilege_type, n.is_grantable)
    = (w.what, w.part, w.grantee, w.privilege_type, w.is_grantable))
  AND NOT (w.grantee = 0 AND w.kind IN ('f', 'T') AND w.now IS NOT NULL)  -- production took it from everybody
UNION ALL
SELECT 3, format('ALTER %%s OWNER TO %%I', p.altered, pg_get_userbyid(p.owner)) FROM pair p WHERE p.own AND p.owner <> p.maker
ORDER BY 1
"""
_DEFAULTS = """
SELECT format('ALTER DEFAULT PRIVILEGES FOR ROLE %%I IN SCHEMA %%I GRANT %%s ON %%s TO %%s%%s', pg_get_userbyid(d.defaclrole), %(shadow)s::text,
  x.privilege_type, CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS' ELSE 'TYPES' END,
  CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(x.grantee)) END,
  CASE WHEN x.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
FROM pg_default_acl d JOIN pg_namespace n ON n.oid = d.defaclnamespace CROSS JOIN LATERAL aclexplode(d.defaclacl) x
WHERE n.nspname = %(schema)s
"""
_FOREIGN = """
SELECT DISTINCT pg_get_userbyid(o.owner) FROM (
  SELECT relowner FROM pg_class WHERE relnamespace = to_regnamespace(%(schema)s) AND relkind IN ('r', 'p', 'v', 'm', 'S')
  UNION SELECT proowner FROM pg_proc p WHERE pronamespace = to_regnamespace(%(schema)s)
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
  UNION SELECT defaclrole FROM pg_default_acl WHERE defaclnamespace = to_regnamespace(%(schema)s)) o(owner)
WHERE NOT pg_has_role(o.owner, 'USAGE') ORDER BY 1
"""


def defaults(target: Connection, schema: str, shadow: str) -> Iterator[str]:
    """Yields statements that copy the default privileges of the schema in use to the shadow schema."""
    for (statement,) in target.execute(_DEFAULTS, {"schema": schema, "shadow": shadow}).fetchall():
        yield statement


def changes(target: Connection, schema: str, shadow: str) -> list[str]:
    """Returns statements that give each object of the shadow schema the rights and the owner of its namesake in use.

    The session's ``search_path`` must be empty: types in the arguments of functions are compared with their schema.
    """
    rows = target.execute(_CHANGES, {"schema": schema, "shadow": shadow}).fetchall()
    return [statement for _, statement in rows]


def foreign_owners(target: Connection, schema: str) -> list[str]:
    """Returns roles that own an object in the schema and whose rights the session's user cannot grant."""
    return [name for (name,) in target.execute(_FOREIGN, {"schema": quoted(schema)})]
