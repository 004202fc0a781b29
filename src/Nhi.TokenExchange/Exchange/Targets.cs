namespace Nhi.TokenExchange;

/// <summary>Makes the exchangers that this package brings.</summary>
public static class Targets
{
}
