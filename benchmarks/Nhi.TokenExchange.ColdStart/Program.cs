using Nhi.TokenExchange;

// One start of a process to its first token; the name of the way is the argument. The issuer's address and the proof come from the environment.
// Prints the token's length, so that nobody stops before he has it.
string token = args switch
{
    ["empty"] => "nothing",
    ["http-client"] => await PlainHttp.AskAsync(),
    ["http-client-di"] => await PlainHttp.AskThroughContainerAsync(),
    ["ours"] => await Ours.AskAsync(),
    ["ours-di"] => await Ours.AskThroughContainerAsync(),
#if SDK_PEERS
    ["aws"] => await SdkAws.AskAsync(),
    ["msal"] => await SdkMicrosoft.AskMsalAsync(),
    ["azure-identity"] => await SdkMicrosoft.AskAzureIdentityAsync(),
#endif
    _ => throw new ArgumentException("Name one way."),
};
Console.WriteLine(token.Length);
