namespace Nhi.TokenExchange;

/// <summary>Sets the credential of a target on requests to that target's origins.</summary>
public sealed class CredentialHandler : DelegatingHandler
{
}
