"""Objects outside of a schema that depend on it; the swap would drop them, so they stop the refresh."""

from __future__ import annotations

from jobs.sanitize.connection import Connection
from jobs.sanitize.dialect import quoted
from jobs.sanitize.names import HOME

_TABLES = (
    "SELECT 'pg_class'::regclass AS class, oid, relnamespace AS space FROM pg_class",
    "SELECT 'pg_proc'::regclass, oid, pronamespace FROM pg_proc",
    "SELECT 'pg_type'::regclass, oid, typnamespace FROM pg_type",
    "SELECT 'pg_operator'::regclass, oid, oprnamespace FROM pg_operator",
    "SELECT 'pg_opclass'::regclass, oid, opcnamespace FROM pg_opclass",
    "SELECT 'pg_opfamily'::regclass, oid, opfnamespace FROM pg_opfamily",
    "SELECT 'pg_collation'::regclass, oid, collnamespace FROM pg_collation",
    "SELECT 'pg_conversion'::regclass, oid, connamespace FROM pg_conversion",
    "SELECT 'pg_statistic_ext'::regclass, oid, stxnamespace FROM pg_statistic_ext",
    "SELECT 'pg_ts_config'::regclass, oid, cfgnamespace FROM pg_ts_config",
    "SELECT 'pg_ts_dict'::regclass, oid, dictnamespace FROM pg_ts_dict",
    "SELECT 'pg_default_acl'::regclass, oid, defaclnamespace FROM pg_default_acl",
    "SELECT 'pg_constraint'::regclass, oid, connamespace FROM pg_constraint",
    "SELECT 'pg_attrdef'::regclass, f.oid, c.relnamespace FROM pg_attrdef f JOIN pg_class c ON c.oid = f.adrelid",
    "SELECT 'pg_rewrite'::regclass, w.oid, c.relnamespace FROM pg_rewrite w JOIN pg_class c ON c.oid = w.ev_class",
    "SELECT 'pg_trigger'::regclass, g.oid, c.relnamespace FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid",
    "SELECT 'pg_policy'::regclass, p.oid, c.relnamespace FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid",
)
_PLACES = " UNION ALL ".join(_TABLES)
_OUTSIDE = f"""
WITH place AS ({_PLACES})
SELECT DISTINCT pg_describe_object(d.classid, d.objid, d.objsubid) || ' (of ' || pg_describe_object(d.refclassid, d.refobjid, d.refobjsubid) || ')'
FROM pg_depend d JOIN place r ON r.class = d.refclassid AND r.oid = d.refobjid
LEFT JOIN place o ON o.class = d.classid AND o.oid = d.objid LEFT JOIN pg_namespace n ON n.oid = o.space
WHERE r.space = to_regnamespace(%(schema)s) AND o.space IS DISTINCT FROM r.space AND d.deptype NOT IN ('i', 'e', 'x')
  AND d.classid NOT IN ('pg_amop'::regclass, 'pg_amproc'::regclass)  -- their operator family is looked at
  AND coalesce(n.nspname, '') !~ '^pg_toast' AND coalesce(n.nspname, '') <> ALL (%(ours)s)
  AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = d.refclassid AND e.deptype = 'e' AND e.objid IN (d.refobjid,
    (SELECT a.typelem FROM pg_type a WHERE d.refclassid = 'pg_type'::regclass AND a.oid = d.refobjid)))  -- also arrays of its types
  AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = d.classid AND e.objid = d.objid AND e.deptype = 'e')
ORDER BY 1
"""
"""Also objects without a schema: publications, event triggers, casts."""


def outside(target: Connection, schema: str, *ours: str) -> list[str]:
    """Returns a description of each outside dependency; ``ours`` are schemas that a refresh creates itself."""
    parameters = {"schema": quoted(schema), "ours": [HOME, *ours]}
    return [text for (text,) in target.execute(_OUTSIDE, parameters)]
