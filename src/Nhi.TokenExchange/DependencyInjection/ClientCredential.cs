namespace Nhi.TokenExchange;

/// <summary>Notes which client was given which target's credential, so that a wrong name is found when the host starts.</summary>
internal sealed record ClientCredential(string Client, string Target)
{
    public void Check(JobSession session, ConfigurationErrors errors)
    {
        try
        {
            session.CreateHandlerOfAnyKind(Target, inner: null, asker: null).Dispose();
        }
        catch (TokenExchangeException wrong)
        {
            errors.Add($"HttpClient '{ExceptionText.Clean(Client)}', AddCredential(\"{ExceptionText.Clean(Target)}\")", wrong.Detail.TrimEnd('.'), wrong.Hint ?? "Name one of these.", wrong.Code);
        }
    }
}
