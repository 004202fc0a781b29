namespace Nhi.TokenExchange.Tests.Policy.Remote;

/// <summary>What the decision point speaks.</summary>
public enum Language
{
    AuthZen,
    Opa,
}
