namespace Nhi.TokenExchange;

/// <summary>What is kept of an exception that a plug-in or the framework threw: its type and where, not its text, which may quote a token.</summary>
#pragma warning disable CA1064 // Only ever an inner exception: nobody catches it by type.
internal sealed class ForeignException : Exception
#pragma warning restore CA1064
{
    private readonly string? _stackTrace;

    private ForeignException(string type, string? stackTrace, Exception? inner)
        : base($"{type} (its text is not repeated here: it may quote a token)", inner) =>
        _stackTrace = stackTrace;

    public override string? StackTrace => _stackTrace;

    /// <summary>Our own exceptions are safe as they are; of others only type and place are kept, inner ones likewise.</summary>
    public static Exception Of(Exception exception) => exception is TokenExchangeException
        ? exception
        : new ForeignException(exception.GetType().FullName ?? exception.GetType().Name, exception.StackTrace, exception.InnerException is { } inner ? Of(inner) : null);
}
