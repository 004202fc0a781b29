namespace Nhi.TokenExchange;

/// <summary>RFC 7009.</summary>
internal sealed class RevocationEndpoint(string issuer, ClientAuthentication authentication, Ledger ledger)
{
    public async Task<EmulatorAnswer> AnswerAsync(EmulatorRequest request)
    {
        RegisteredClient client = await authentication.AuthenticateAsync(request).ConfigureAwait(false);
        string fingerprint = Ledger.FingerprintOf(request.Form.Need("token"));
        // RFC 7009 §2.1: only the client's own tokens. §2.2: 200 also for unknown ones, so nobody learns what exists. §2.1: a wrong hint does not matter.
        if (ledger.Find(fingerprint) is { } issue && issue.Issuer == issuer && issue.ClientId == client.ClientId)
        {
            ledger.MarkRevocationAsked(fingerprint);
            ledger.MarkRevoked(fingerprint);
        }
        return EmulatorAnswer.Empty().NotStored();
    }
}
