namespace Nhi.TokenExchange;

/// <summary>An exchange failed, or what it needs is wrong. Says where, with a stable code, and what to do. Never holds a token.</summary>
public class TokenExchangeException : Exception
{
    private string? _target;

    /// <summary>Makes an error. Its <see cref="Exception.HelpLink"/> leads to the code's paragraph in docs/errors.md, which is in the package Nhi.TokenExchange too.</summary>
    /// <param name="code">A stable code: <c>NHI</c> and four digits; see docs/errors.md.</param>
    /// <param name="stage">Where in the flow it failed.</param>
    /// <param name="message">What was expected and what came. No token, no body.</param>
    /// <param name="innerException">The cause, if another exception was.</param>
    public TokenExchangeException(string code, ExchangeStage stage, string message, Exception? innerException = null)
        : base(message, innerException)
    {
        ArgumentException.ThrowIfNullOrEmpty(code);
        Code = code;
        Stage = stage;
        Original = this;
        base.HelpLink = ExceptionText.HelpLinkOf(code);
    }

    /// <summary>The stable code: <c>NHI</c> and four digits.</summary>
    public string Code { get; }

    /// <summary>Where in the flow it failed.</summary>
    public ExchangeStage Stage { get; }

    /// <summary>The name of the target, if one was concerned.</summary>
    public string? Target
    {
        get => _target;
        init => _target = value;
    }

    /// <summary>Whether the same call may succeed later without anybody changing anything.</summary>
    public bool IsTransient { get; init; }

    /// <summary>How long to wait before the next try is worth it, if known.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The issuer's name for the failed request, to find it in its logs; of a decision (stage Authorize), the remote decision point's.</summary>
    public string? CorrelationId { get; init; }

    /// <summary>The OAuth error code that the issuer answered (RFC 6749 §5.2), if it did.</summary>
    public string? IssuerError { get; init; }

    /// <summary>What to change, and where.</summary>
    public string? Hint { get; init; }

    /// <summary>Code, target, what happened, what to do.</summary>
    public override string Message => ExceptionText.Describe(this, base.Message);

    internal string Detail => base.Message;

    /// <summary>The issuer gave a credential whose own end had passed already, which the next one need not have.</summary>
    internal bool IsDeadAtIssuer { get; init; }

    /// <summary>What is held was renewed, and nothing came of it: too little life, no answer while it was good, or somebody ended it meanwhile. Something new may live as long as ever.</summary>
    internal bool IsRenewalForNothing { get; init; }

    /// <summary>No failure: what is held gets no longer life, and nothing else was asked for.</summary>
    internal bool SaysNoMore { get; init; }

    /// <summary>Of a revocation: the hop's credential, with which it was asked for, has ended. The issuer ends the two together, and says of the one alone that it did.</summary>
    internal bool IsLeftToHop { get; init; }

    /// <summary>This error, or the one that it tells once more.</summary>
    internal TokenExchangeException Original { get; private protected init; }

    /// <summary>Adds the target's name where the one who threw did not know it.</summary>
    internal TokenExchangeException ForTarget(string target)
    {
        _target ??= target;
        return this;
    }

    /// <summary>The same error for one more caller, with this one inside.</summary>
    internal virtual TokenExchangeException Again(string detail, TimeSpan? retryAfter) =>
        new(Code, Stage, detail, this)
        {
            Target = Target, IsTransient = IsTransient, RetryAfter = retryAfter, CorrelationId = CorrelationId, IssuerError = IssuerError, Hint = Hint, Original = Original,
        };
}
