namespace Nhi.TokenExchange;

/// <summary>The job could not prove who it is: there is no proof, or it is not fit to be sent.</summary>
public sealed class IdentityUnavailableException : TokenExchangeException
{
    /// <summary>Makes the error.</summary>
    /// <param name="code">A stable code: <c>NHI</c> and four digits.</param>
    /// <param name="message">What was expected and what came. No token.</param>
    /// <param name="innerException">The cause, if another exception was.</param>
    public IdentityUnavailableException(string code, string message, Exception? innerException = null)
        : base(code, ExchangeStage.Attest, message, innerException)
    {
    }

    internal override TokenExchangeException Again(string detail, TimeSpan? retryAfter) =>
        new IdentityUnavailableException(Code, detail, this)
        {
            Target = Target, IsTransient = IsTransient, RetryAfter = retryAfter, CorrelationId = CorrelationId, IssuerError = IssuerError, Hint = Hint, Original = Original,
        };
}
