namespace Nhi.TokenExchange;

#pragma warning disable CA1064 // It never leaves this assembly: every endpoint turns it into an answer.
/// <summary>A JWT that a check refused. The endpoint turns it into the OAuth error that its grant prescribes.</summary>
internal sealed class ProofRefused(string reason, string description) : Exception(description)
{
    public string Reason => reason;

    public OAuthRefusal As(string error) => new(error, Reason, Message, error == "invalid_client" ? 401 : 400);
}
