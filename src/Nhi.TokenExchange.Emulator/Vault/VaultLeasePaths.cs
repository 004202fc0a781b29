using System.Globalization;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>What the emulated Vault answers below <c>sys/leases/</c>.</summary>
internal static class VaultLeasePaths
{
    public static EmulatorAnswer Answer(VaultBooks books, EmulatorRequest request, string action, VaultBody body, DateTimeOffset now)
    {
        if (request.Http.Request.Method is not ("POST" or "PUT"))
            throw new VaultDenied(405, "method", "1 error occurred:\n\t* unsupported operation\n\n");
        VaultLease? lease = books.FindLease(body.Need("lease_id"));
        switch (action)
        {
            case "lookup":
                return Lookup(request, lease ?? throw new VaultDenied(400, "lease_unknown", "invalid lease"), now);
            case "renew":
                return Renew(books, request, lease ?? throw new VaultDenied(400, "lease_unknown", "lease not found"), body, now);
            case "revoke":
                books.NoteRevocationAsked(body.Need("lease_id"));
                return Revoke(books, lease, body.Flag("sync"));
            default:
                throw VaultDenied.NotFound("path_unknown");
        }
    }

    // The real one does not mind a lease that is not there: what was asked for is so.
    private static EmulatorAnswer Revoke(VaultBooks books, VaultLease? lease, bool isSync)
    {
        if (!isSync)
        {
            if (lease is not null)
                books.Queue(lease);
            return EmulatorAnswer.Empty(202);
        }
        // Its own words and status: a bad request, whatever it was that failed.
        if (lease is not null && !books.TryRevoke(lease))
            throw new VaultDenied(400, "engine_failed", "failed to revoke entry: resp: (*logical.Response)(nil) err: the secrets engine could not end it");
        return EmulatorAnswer.Empty(204);
    }

    private static EmulatorAnswer Renew(VaultBooks books, EmulatorRequest request, VaultLease lease, VaultBody body, DateTimeOffset now)
    {
        if (lease.IsQueued)
            throw new VaultDenied(400, "lease_expired", "lease expired");
        if (!lease.Role.IsRenewable)
            throw new VaultDenied(400, "not_renewable", "lease is not renewable");
        JsonObject envelope = VaultEnvelope.Of(request.RequestId);
        TimeSpan? asked = body.Duration("increment");
        DateTimeOffset end = books.Renew(lease, asked is { Ticks: > 0 } ? asked : null);
        envelope["lease_id"] = lease.Id;
        envelope["lease_duration"] = VaultEnvelope.Seconds(end - now);
        envelope["renewable"] = true;
        if (asked > end - now)
            envelope["warnings"] = JsonText.Array(["TTL of \"" + asked + "\" exceeded the effective max_ttl; TTL value is capped accordingly"]);
        return EmulatorAnswer.Of(envelope);
    }

    private static EmulatorAnswer Lookup(EmulatorRequest request, VaultLease lease, DateTimeOffset now) => EmulatorAnswer.Of(VaultEnvelope.OfData(request.RequestId, new JsonObject
    {
        ["id"] = lease.Id, ["issue_time"] = lease.IssuedAt.ToString("O", CultureInfo.InvariantCulture), ["expire_time"] = lease.EndsAt.ToString("O", CultureInfo.InvariantCulture),
        ["last_renewal"] = lease.RenewedAt?.ToString("O", CultureInfo.InvariantCulture), ["renewable"] = lease.Role.IsRenewable, ["ttl"] = VaultEnvelope.Seconds(lease.EndsAt - now),
    }));
}
