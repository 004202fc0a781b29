using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Nhi.TokenExchange;

/// <summary>A login role before it exists: its name, its password, and the statements that make it.</summary>
internal sealed class NewLogin
{
    private const int LongestFact = 100;
    // 256 bits in letters that nothing has to quote or to normalize.
    private const int PasswordBytes = 32;

    private NewLogin(string name) => Name = name;

    public string Name { get; }

    /// <summary>Goes to the job alone; the server gets <see cref="ScramVerifier"/>.</summary>
    [DebuggerBrowsable(DebuggerBrowsableState.Never)]
    public string Password { get; } = System.Buffers.Text.Base64Url.EncodeToString(System.Security.Cryptography.RandomNumberGenerator.GetBytes(PasswordBytes));

    public static NewLogin For(string prefix, string target) => new(LoginName.New(prefix, target));

    /// <summary>Statements that make the role, all or none where they are sent together.</summary>
    /// <param name="options">What was said of the target.</param>
    /// <param name="request">What is asked for.</param>
    /// <param name="validUntil">The end, by the server's clock.</param>
    public string Sql(PostgresRoleOptions options, ExchangeRequest request, DateTimeOffset validUntil)
    {
        string role = SqlText.Name(Name);
        var sql = new StringBuilder();
        // INHERIT, or the rights would be there only after SET ROLE, which guards nothing: whoever is a member may say it.
        sql.Append(CultureInfo.InvariantCulture, $"CREATE ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS INHERIT CONNECTION LIMIT {options.ConnectionLimit ?? -1}");
        sql.Append(CultureInfo.InvariantCulture, $" PASSWORD {SqlText.Literal(ScramVerifier.Of(Password))} VALID UNTIL {SqlText.Literal(validUntil.ToString("yyyy-MM-dd HH:mm:ss.ffffff'+00'", CultureInfo.InvariantCulture))}");
        sql.Append(CultureInfo.InvariantCulture, $" IN ROLE {string.Join(", ", request.Scopes.Values.Select(SqlText.Name))};");
        if (options.ActAs is { } actAs)
            sql.Append(CultureInfo.InvariantCulture, $"ALTER ROLE {role} SET role = {SqlText.Literal(actAs)};");
        sql.Append(CultureInfo.InvariantCulture, $"COMMENT ON ROLE {role} IS {SqlText.Literal(Comment(request))};");
        return sql.ToString();
    }

    /// <summary>For people who look at the roles: whose login it is.</summary>
    private static string Comment(ExchangeRequest request)
    {
        JobContext job = request.Job;
        (string Name, string? Value)[] facts =
            [("target", request.Target), ("pipeline", job.Pipeline), ("run", job.Run), ("task", job.Task), ("dataset", job.Dataset), ("purpose", job.Purpose), ("environment", job.Environment)];
        return "Nhi.TokenExchange: " + string.Join(", ", facts.Where(fact => fact.Value is not null).Select(fact => $"{fact.Name} {ExceptionText.Clean(fact.Value, LongestFact)}"));
    }
}
