using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Nhi.TokenExchange;

/// <summary><c>POST /{tenant}/oauth2/v2.0/token</c>: client credentials with a federated assertion.</summary>
/// <remarks>Page: "Microsoft identity platform and the OAuth 2.0 client credentials flow", third case.</remarks>
internal sealed class EntraTokenEndpoint(EntraDirectory directory, EntraAssertions assertions)
{
    private const string AssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    private const string Default = "/.default";

    private static readonly string[] OpenIdScopes = ["openid", "profile", "email", "offline_access"];

    private readonly EntraLoopGuard _loops = new(directory.Time);

    public async Task<EmulatorAnswer> AnswerAsync(EmulatorRequest request, string tenant)
    {
        RequestForm form = Form(request);
        EntraApplication application = Application(form, tenant, out string tenantId);
        OwnCloud(request);
        (EntraResource resource, string asked) = ResourceOf(form, application, tenantId);
        string? claims = Claims(form);
        await ProvenAsync(form, application).ConfigureAwait(false);
        Allowed(application);
        if (directory.LoopLimit is { } limit && _loops.IsLoop($"{tenantId}\n{form.Key}\n{claims}", limit))
            throw EntraErrors.Refuse(50196, "The server terminated an operation because it encountered a client request loop. Please contact your app vendor.");
        (string token, LedgerIssue issue) = directory.Tokens.Issue(new EntraTokenOrder
        {
            TenantId = tenantId,
            ClientId = application.ClientId,
            ObjectId = application.PrincipalIn(tenantId)!,
            Resource = resource,
            Asked = asked,
            Life = EntraTokens.HasCapability(claims) ? directory.LongTokenLifetime : directory.TokenLifetime,
            Roles = [.. application.Roles],
            Claims = claims,
            RequestId = request.RequestId,
            ClientRequestId = request.Header("client-request-id"),
        });
        return EntraErrors.Stamp(Success(token, issue.EndsAt - issue.IssuedAt), request);
    }

    private static RequestForm Form(EmulatorRequest request)
    {
        if (!HttpMethods.IsPost(request.Http.Request.Method))
            throw EntraErrors.Refuse(900561, $"The endpoint only accepts POST, OPTIONS requests. Received a {request.Http.Request.Method} request.");
        try
        {
            request.Form.RefuseRepeated();
        }
        catch (OAuthRefusal refused)
        {
            throw EntraErrors.Refuse(9002313, $"Invalid request. Request is malformed or invalid: {refused.Message}.");
        }

        if (Need(request.Form, "grant_type") is var grant && grant != "client_credentials")
            throw EntraErrors.Refuse(70003, $"The app requested an unsupported grant type '{grant}'.");
        return request.Form;
    }

    private static string Need(RequestForm form, string name) =>
        form.One(name) ?? throw EntraErrors.Refuse(900144, $"The request body must contain the following parameter: '{name}'.");

    private EntraApplication Application(RequestForm form, string tenant, out string tenantId)
    {
        string clientId = Need(form, "client_id");
        EntraApplication? application = directory.FindApplication(clientId);
        if (tenant is "common" or "organizations" or "consumers")
        {
            throw tenant != "consumers" && application is { IsMultiTenant: false }
                ? EntraErrors.Refuse(50194, $"Application '{clientId}' is not configured as a multi-tenant application. Usage of the /{tenant} endpoint is not supported for such apps. Use a tenant-specific endpoint or configure the application to be multi-tenant.")
                : EntraErrors.Refuse(9001023, "The grant type is not supported over the /common or /consumers endpoints. Please use the tenant-specific endpoint.");
        }

        if (!directory.HasTenant(tenant))
            throw EntraErrors.Refuse(90002, $"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.");
        // Tokens name the tenant in lower case, however the address wrote it.
        tenantId = tenant.ToLowerInvariant();
        return application?.PrincipalIn(tenantId) is not null
            ? application
            : throw EntraErrors.Refuse(700016, $"Application with identifier '{clientId}' was not found in the directory '{tenantId}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.");
    }

    private void OwnCloud(EmulatorRequest request)
    {
        if (EntraClouds.OfHost(request.Http.Request.Host.Host) is { } cloud && cloud.Cloud != directory.Cloud)
            throw EntraErrors.Refuse(900382, "Confidential Client is not supported in Cross Cloud request.");
    }

    private (EntraResource Resource, string Asked) ResourceOf(RequestForm form, EntraApplication application, string tenantId)
    {
        string text = Need(form, "scope");
        string[] scopes = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        string[] whole = [.. scopes.Where(scope => scope.EndsWith(Default, StringComparison.Ordinal) && scope.Length > Default.Length)];
        if (whole.Length > 1)
            throw EntraErrors.Refuse(700022, "The provided value for the input parameter scope is not valid because it contains more than one resource.");
        if (whole.Length == 0 && scopes.All(OpenIdScopes.Contains))
            throw EntraErrors.Refuse(700023, "The provided value for the input parameter scope is not valid because it does not contain a resource.");
        if (whole.Length == 0)
            throw EntraErrors.Refuse(1002012, $"The provided value for scope {text} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).");
        if (scopes.Length > 1)
            throw EntraErrors.Refuse(70011, $"The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid. The scope {text} is not valid: .default cannot be combined with other scopes.");
        string asked = whole[0][..^Default.Length];
        bool may = application.Resources.Count == 0 || application.Resources.Any(one => string.Equals(one.TrimEnd('/'), asked.TrimEnd('/'), StringComparison.OrdinalIgnoreCase));
        return may && directory.FindResource(asked) is { } resource
            ? (resource, asked)
            : throw EntraErrors.Refuse(500011, $"The resource principal named {asked} was not found in the tenant named {tenantId}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant.");
    }

    private static string? Claims(RequestForm form)
    {
        if (form.One("claims") is not { } claims)
            return null;
        try
        {
            using JsonDocument document = JsonDocument.Parse(claims);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
                return claims;
        }
        catch (JsonException)
        {
            // Told below.
        }

        throw EntraErrors.Refuse(9002313, "Invalid request. Request is malformed or invalid: the parameter 'claims' is no JSON object.");
    }

    private async Task ProvenAsync(RequestForm form, EntraApplication application)
    {
        if (form.One("client_secret") is not null)
            throw EntraErrors.Refuse(7000215, $"Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{application.ClientId}'.");
        if (form.One("client_assertion") is not { } assertion)
            throw EntraErrors.Refuse(7000218, "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.");
        if (Need(form, "client_assertion_type") != AssertionType)
            throw EntraErrors.Refuse(9002313, $"Invalid request. Request is malformed or invalid: client_assertion_type must be {AssertionType}.");
        await assertions.VerifyAsync(assertion, application).ConfigureAwait(false);
    }

    private static void Allowed(EntraApplication application)
    {
        if (application.IsDisabled)
            throw EntraErrors.Refuse(7000112, $"Application '{application.ClientId}' is disabled.");
        if (application.BlockedByConditionalAccess)
        {
            string claims = new JsonObject { ["access_token"] = new JsonObject { ["capolids"] = new JsonObject { ["essential"] = true, ["values"] = JsonText.Array([application.ObjectId]) } } }.ToJsonString();
            throw EntraErrors.Refuse(53003, "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.", "message_only", claims);
        }
    }

    private EmulatorAnswer Success(string token, TimeSpan life)
    {
        var body = new JsonObject { ["token_type"] = "Bearer", ["expires_in"] = (long)life.TotalSeconds, ["ext_expires_in"] = (long)life.TotalSeconds };
        if ((directory.RefreshIn ?? (life > TimeSpan.FromHours(2) ? life / 2 : null)) is { } refresh)
            body["refresh_in"] = (long)refresh.TotalSeconds;
        body["access_token"] = token;
        return EmulatorAnswer.Of(body);
    }
}
