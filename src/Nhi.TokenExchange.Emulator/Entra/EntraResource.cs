namespace Nhi.TokenExchange;

/// <summary>An API that tokens can be asked for.</summary>
/// <param name="AppIdUri">What stands before <c>/.default</c> in a scope, and in <c>resource</c> at a managed identity host.</param>
/// <param name="TokenVersion">1: issuer <c>https://sts.windows.net/{tenant}/</c> and <c>aud</c> as asked; 2: issuer <c>https://login.microsoftonline.com/{tenant}/v2.0</c> and <c>aud</c> is the application id.</param>
/// <param name="ApplicationId">The API's application id: the <c>aud</c> of version 2 tokens.</param>
public sealed record EntraResource(string AppIdUri, int TokenVersion, string ApplicationId);
