using System.Globalization;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>What the emulated Vault answers below <c>auth/token/</c>.</summary>
internal static class VaultTokenPaths
{
    public static EmulatorAnswer Answer(VaultBooks books, EmulatorRequest request, string action, VaultToken token, VaultBody body, DateTimeOffset now)
    {
        switch (action)
        {
            case "lookup-self":
                return Lookup(request, token, now, showsToken: true);
            case "lookup":
                return Lookup(request, books.Find(body.Need("token"), null) ?? throw new VaultDenied(403, "token_unknown", "bad token"), now, showsToken: true);
            case "lookup-accessor":
                return Lookup(request, ByAccessor(books, body), now, showsToken: false);
            case "renew-self" when token.IsBatch || token.IsRoot:
                throw new VaultDenied(400, "not_renewable", token.IsBatch ? "batch tokens cannot be renewed" : "lease is not renewable");
            case "renew-self":
                books.Renew(token, body.Duration("increment"));
                return EmulatorAnswer.Of(VaultEnvelope.OfAuth(request.RequestId, token, now));
            case "revoke-self" when token.IsBatch:
                throw new VaultDenied(400, "batch", "batch tokens cannot be revoked");
            case "revoke-self":
                books.NoteRevocationAsked(token.Accessor!);
                books.Revoke(token);
                return EmulatorAnswer.Empty(204);
            case "revoke":
                VaultToken named = books.Find(body.Need("token"), null) ?? throw new VaultDenied(400, "token_unknown", "token not found");
                if (named.Accessor is { } accessor)
                    books.NoteRevocationAsked(accessor);
                books.Revoke(named);
                return EmulatorAnswer.Empty(204);
            case "revoke-accessor":
                books.NoteRevocationAsked(body.Need("accessor"));
                if (books.Find(null, body.Need("accessor")) is not { } owner)
                    return NoSuchAccessor(request);
                books.Revoke(owner);
                return EmulatorAnswer.Empty(204);
            case "create":
                return Create(books, request, token, body, now);
            default:
                throw VaultDenied.NotFound("path_unknown");
        }
    }

    // Vault's own answer; OpenBao refuses with a 400.
    private static EmulatorAnswer NoSuchAccessor(EmulatorRequest request)
    {
        JsonObject envelope = VaultEnvelope.Of(request.RequestId);
        envelope["warnings"] = JsonText.Array(["No token found with this accessor"]);
        return EmulatorAnswer.Of(envelope);
    }

    private static VaultToken ByAccessor(VaultBooks books, VaultBody body) =>
        books.Find(null, body.Need("accessor")) ?? throw new VaultDenied(400, "accessor_unknown", "1 error occurred:\n\t* invalid accessor\n\n");

    // A child ends with its parent, unless it is asked for without one. A batch token can't have children that are service tokens; nobody here makes any.
    private static EmulatorAnswer Create(VaultBooks books, EmulatorRequest request, VaultToken token, VaultBody body, DateTimeOffset now)
    {
        if (token.IsBatch)
            throw new VaultDenied(400, "batch", "batch tokens cannot create more tokens");
        TimeSpan ttl = body.Duration("ttl") ?? TimeSpan.FromHours(1), maxTtl = body.Duration("explicit_max_ttl") ?? TimeSpan.FromDays(32);
        VaultToken child = books.AddToken(
            token.Namespace, token.Role, token.Subject, "auth/token/create", [], ttl, () => maxTtl, body.Text("type") == "batch", 0, token.Paths, token.HasDefaultPolicy,
            body.Flag("no_parent") || token.IsRoot ? null : token, request.RequestId);
        return EmulatorAnswer.Of(VaultEnvelope.OfAuth(request.RequestId, child, now));
    }

    private static EmulatorAnswer Lookup(EmulatorRequest request, VaultToken token, DateTimeOffset now, bool showsToken) => EmulatorAnswer.Of(VaultEnvelope.OfData(request.RequestId, new JsonObject
    {
        ["id"] = showsToken ? token.Text : "", ["accessor"] = token.Accessor ?? "", ["type"] = token.IsBatch ? "batch" : "service", ["display_name"] = token.Role, ["orphan"] = token.Parent is null,
        ["ttl"] = token.IsRoot ? 0 : VaultEnvelope.Seconds(token.EndsAt - now), ["creation_ttl"] = VaultEnvelope.Seconds(token.Ttl), ["renewable"] = token is { IsBatch: false, IsRoot: false }, ["num_uses"] = token.UsesLeft,
        ["issue_time"] = token.IssuedAt.ToString("O", CultureInfo.InvariantCulture), ["expire_time"] = token.IsRoot ? null : token.EndsAt.ToString("O", CultureInfo.InvariantCulture), ["policies"] = JsonText.Array(["default", token.Role]),
    }));
}
