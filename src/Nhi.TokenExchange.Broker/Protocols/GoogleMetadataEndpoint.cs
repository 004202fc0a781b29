using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>The metadata server of Google Cloud (<c>GCE_METADATA_HOST</c>), as far as client libraries ask it. It has no place for a token: who asks is the process that the kernel names. Page: "About VM metadata" and "Predefined VM metadata keys".</summary>
internal static class GoogleMetadataEndpoint
{
    public const string Root = "/";
    public const string Prefix = "/computeMetadata/";

    private const string Accounts = "/computeMetadata/v1/instance/service-accounts/";
    private const string FlavorHeader = "Metadata-Flavor";
    private const string Flavor = "Google";

    // gcloud finds out by this value whether it runs in Google Cloud. The project's number is not known here, and none has this one.
    private const string NoNumber = "0";

    public static async Task<BrokerAnswer> AnswerAsync(BrokerCall call)
    {
        call.NeedMethod("GET");
        if (call.Header(FlavorHeader) != Flavor)
            throw new BrokerRefusal(RefusalKind.Forbidden, $"the header '{FlavorHeader}: {Flavor}' is missing");
        GoogleIdentity identity = call.Plan.Google!;
        Caller caller = call.ByProcess();
        BrokerAnswer answer = call.Path switch
        {
            Root or "/computeMetadata/v1" or "/computeMetadata/v1/" => BrokerAnswer.Text("computeMetadata/\n"),
            "/computeMetadata/v1/instance" or "/computeMetadata/v1/instance/" => BrokerAnswer.Text("service-accounts/\n"),   // by which Node's library finds out where it runs
            "/computeMetadata/v1/project" or "/computeMetadata/v1/project/" => BrokerAnswer.Text("numeric-project-id\nproject-id\n"),
            "/computeMetadata/v1/project/project-id" => BrokerAnswer.Text(identity.ProjectId),
            "/computeMetadata/v1/project/numeric-project-id" => BrokerAnswer.Text(NoNumber),
            "/computeMetadata/v1/universe/universe-domain" or "/computeMetadata/v1/universe/universe_domain" => BrokerAnswer.Text("googleapis.com"),
            _ => await OfAccountAsync(call, caller, identity).ConfigureAwait(false),
        };
        answer.Headers[FlavorHeader] = Flavor;
        return answer;
    }

    public static BrokerAnswer Refuse(BrokerRefusal refusal)
    {
        BrokerAnswer answer = BrokerAnswer.Text(refusal.Message + "\n", refusal.Status);
        answer.Headers[FlavorHeader] = Flavor;
        return answer;
    }

    private static async Task<BrokerAnswer> OfAccountAsync(BrokerCall call, Caller caller, GoogleIdentity identity)
    {
        string path = call.Path.StartsWith(Accounts, StringComparison.Ordinal) ? call.Path[Accounts.Length..] : throw NotHere(call);
        string[] parts = path.TrimEnd('/').Split('/');
        var account = new JsonObject { ["aliases"] = new JsonArray("default"), ["email"] = identity.Email, ["scopes"] = new JsonArray([.. identity.Provider.Scopes.Values.Select(scope => (JsonNode)scope)]) };
        if (parts is [""])
            return call.Query("recursive") is null ? BrokerAnswer.Text($"default/\n{identity.Email}/\n") : BrokerAnswer.Json(new JsonObject { ["default"] = account, [identity.Email] = account.DeepClone() });
        if (parts[0] != "default" && parts[0] != identity.Email)
            throw NotHere(call);
        return parts[1..] switch
        {
            [] => call.Query("recursive") is null ? BrokerAnswer.Text("aliases\nemail\nscopes\ntoken\n") : BrokerAnswer.Json(account),
            ["email"] => BrokerAnswer.Text(identity.Email),
            ["aliases"] => BrokerAnswer.Text("default\n"),
            ["scopes"] => BrokerAnswer.Text(string.Concat(identity.Provider.Scopes.Values.Select(scope => scope + "\n"))),
            ["token"] => await TokenAsync(call, caller, identity).ConfigureAwait(false),
            _ => throw NotHere(call),
        };
    }

    private static async Task<BrokerAnswer> TokenAsync(BrokerCall call, Caller caller, GoogleIdentity identity)
    {
        ScopeSet? scopes;
        try
        {
            scopes = call.Query("scopes") is { Length: > 0 } asked ? ScopeSet.Of(asked.Split(',')) : null;
        }
        catch (ArgumentException)
        {
            throw new BrokerRefusal(RefusalKind.WiderScope, "'scopes' is no list of scopes with commas between them");
        }
        BearerToken token = await HandingOut.GetAsync(call, caller, identity.Provider, scopes).ConfigureAwait(false);
        return BrokerAnswer.Json(new JsonObject { ["access_token"] = token.Reveal(), ["expires_in"] = HandingOut.SecondsLeft(call, token), ["token_type"] = "Bearer" });
    }

    private static BrokerRefusal NotHere(BrokerCall call) => new(RefusalKind.NotFound, $"there is nothing at '{ExceptionText.Clean(call.Path, 200)}'; an identity token (…/identity) is not to be had here");
}
