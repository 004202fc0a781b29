namespace Nhi.TokenExchange;

/// <summary>The command line is wrong in a way that its parser can't see. The message names the option.</summary>
internal sealed class UsageException(string message) : Exception(message);
