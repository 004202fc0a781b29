namespace Nhi.TokenExchange.Soak;

/// <summary>The run did not come to an end that says anything about the product.</summary>
internal sealed class SoakFailedException(string message) : Exception(message);
