namespace Nhi.TokenExchange;

/// <summary>What may be said of a target that makes login roles on a PostgreSQL server.</summary>
public sealed class PostgresRoleOptions
{
    /// <summary>
    /// The granted role that sessions of the login act as from their first statement on (<c>ALTER ROLE … SET role</c>). What a job makes then belongs to that role, and its next login goes on with it. One of the
    /// target's scopes. Null, the default: sessions act as the login itself, and what they make goes to a role <c>{RolePrefix}_heir</c> when the login is dropped, which has no login and no rights.
    /// </summary>
    public string? ActAs { get; set; }

    /// <summary>How many sessions a login may have at once; at least 1. Null, the default: no limit of its own.</summary>
    public int? ConnectionLimit { get; set; }

    /// <summary>What the names of the logins begin with: 1 to 20 lower-case letters, digits and underscores, a letter first. Default <c>nhi</c>. Only roles with such a name are ever ended, so don't change it while some are about.</summary>
    public string RolePrefix { get; set; } = "nhi";

    /// <summary>For whom the proof of the target's identity is made. Default: the server's address, <c>postgresql://host:port/database</c>.</summary>
    public string? SubjectAudience { get; set; }
}
