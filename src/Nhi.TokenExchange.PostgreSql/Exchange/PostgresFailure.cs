using System.Net.Sockets;
using Npgsql;

namespace Nhi.TokenExchange;

/// <summary>What the server or the network said, as one of our errors. The driver's own exception is not kept: it holds the statement.</summary>
internal static class PostgresFailure
{
    /// <summary>Whether the server, or the way to it, failed: all else is a fault of ours, or a cancellation.</summary>
    public static bool IsServers(Exception failure) => failure is NpgsqlException or TimeoutException or SocketException or IOException;

    /// <summary>Whether the same statement may work at once: others changed the same row of a catalog in this moment.</summary>
    public static bool IsCollision(PostgresException failure) =>
        failure.SqlState is PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected
        // An internal error, and so not translated.
        || (failure.SqlState == PostgresErrorCodes.InternalError && failure.MessageText.StartsWith("tuple concurrently", StringComparison.Ordinal));

    /// <summary>Whether it may work later without anybody changing anything.</summary>
    public static bool IsTransient(Exception failure) => failure switch
    {
        PostgresException refused => IsCollision(refused) || refused.IsTransient
            || refused.SqlState is PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.QueryCanceled || EndsTheSession(refused),
        _ => IsServers(failure),
    };

    /// <summary>Whether the server ends the session with it, so that nobody knows what became of the last statement: classes 57P and 08.</summary>
    public static bool EndsTheSession(PostgresException refused) =>
        refused.SqlState.StartsWith("57P", StringComparison.Ordinal) || refused.SqlState.StartsWith("08", StringComparison.Ordinal);

    /// <summary>Makes an error of it.</summary>
    /// <param name="failure">What the driver threw.</param>
    /// <param name="stage">Where in the flow.</param>
    /// <param name="admin">Who asked.</param>
    public static TokenExchangeException Of(Exception failure, ExchangeStage stage, AdminAccess admin)
    {
        // What our own password callback threw comes wrapped.
        if (failure as TokenExchangeException is { } own || (own = failure.InnerException as TokenExchangeException) is not null)
            return own;
        if (failure is not PostgresException refused)
        {
            bool isTls = failure.GetBaseException() is System.Security.Authentication.AuthenticationException;
            return new TokenExchangeException(ErrorCodes.IssuerUnreachable, stage, $"{admin.Server} was not reached, or went away ({failure.GetBaseException().GetType().Name}).")
            {
                IsTransient = !isTls, Hint = isTls ? "Its certificate is not trusted or has another name: correct Host, or name its authority as Root Certificate." : null,
            };
        }
        bool isRefusedLogin = refused.SqlState.StartsWith("28", StringComparison.Ordinal);
        string code = isRefusedLogin && !admin.IsPeer ? ErrorCodes.ProofRefused : IsTransient(refused) ? ErrorCodes.IssuerUnreachable : ErrorCodes.IssuerRefused;
        return new TokenExchangeException(code, stage, $"{admin.Server} said {refused.SqlState}: {ExceptionText.Clean(refused.MessageText, 200)}")
        {
            IsTransient = IsTransient(refused),
            // The token as such was refused, so that the hop's next one is worth a try.
            IssuerError = code == ErrorCodes.ProofRefused ? "invalid_grant" : null,
            Hint = HintFor(refused.SqlState, admin),
        };
    }

    private static string? HintFor(string state, AdminAccess admin) => state switch
    {
        _ when state.StartsWith("28", StringComparison.Ordinal) => admin.IsPeer
            ? $"Let pg_hba.conf let '{ExceptionText.Clean(admin.UserName)}' in by peer, with a map in pg_ident.conf where the operating system's user has another name."
            : $"Let the server take the access token of the target that is gone through for '{ExceptionText.Clean(admin.UserName)}'.",
        PostgresErrorCodes.InsufficientPrivilege => $"Give '{ExceptionText.Clean(admin.UserName)}' CREATEROLE, and from PostgreSQL 16 on each granted role WITH ADMIN OPTION.",
        PostgresErrorCodes.UndefinedObject => "Make the role that the target's Scopes name, or correct them.",
        PostgresErrorCodes.InvalidCatalogName => "Correct the Database.",
        _ => null,
    };
}
