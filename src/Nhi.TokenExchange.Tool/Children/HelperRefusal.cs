namespace Nhi.TokenExchange;

/// <summary>A helper has no credential to give. The message says why.</summary>
internal sealed class HelperRefusal(string message) : Exception(message);
