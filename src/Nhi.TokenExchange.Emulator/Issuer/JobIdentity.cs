namespace Nhi.TokenExchange;

/// <summary>One job's identity at the emulated issuer: mints its proofs, writes them to a file as a kubelet does, or serves them as a CI system does.</summary>
public sealed class JobIdentity
{
    private readonly OidcIssuer _issuer;

    internal JobIdentity(OidcIssuer issuer, ProofShape shape, string subject, string requestToken)
    {
        _issuer = issuer;
        Shape = shape;
        Subject = subject;
        RequestToken = requestToken;
    }

    /// <summary>Whose proofs are imitated.</summary>
    public ProofShape Shape { get; }

    /// <summary>The claim <c>sub</c> of every proof.</summary>
    public string Subject { get; }

    /// <summary>
    /// Where the job asks for a proof: the value of <c>ACTIONS_ID_TOKEN_REQUEST_URL</c> (GET, append <c>&amp;audience=…</c>, answer <c>value</c>)
    /// or <c>SYSTEM_OIDCREQUESTURI</c> (POST, answer <c>oidcToken</c>). As GitHub's, it has a query already.
    /// </summary>
    public Uri RequestUrl => new(IsAzureDevOps ? $"{_issuer.Identifier}/proof" : $"{_issuer.Identifier}/proof?api-version=2.0");

    /// <summary>The bearer token for <see cref="RequestUrl"/>: <c>ACTIONS_ID_TOKEN_REQUEST_TOKEN</c> or <c>SYSTEM_ACCESSTOKEN</c>.</summary>
    public string RequestToken { get; }

    internal bool IsAzureDevOps => Shape is ProofShape.AzureDevOpsConnection or ProofShape.AzureDevOpsPipeline;

    /// <summary>Mints one proof.</summary>
    /// <param name="audience">The claim <c>aud</c>.</param>
    /// <param name="change">Changes claims, header or signature before signing; null for an honest proof.</param>
    public string Mint(string audience, Action<ProofClaims>? change = null) => _issuer.Mint(Shape, Subject, audience, change);

    /// <summary>Writes a fresh proof to a file, whole or not at all: a reader sees the old content or the new. Mode 0600 where the system has modes.</summary>
    /// <param name="path">The file; its folder must exist.</param>
    /// <param name="audience">The claim <c>aud</c>.</param>
    /// <param name="change">As in <see cref="Mint"/>.</param>
    /// <exception cref="IOException">The file can't be written.</exception>
    public void WriteProofFile(string path, string audience, Action<ProofClaims>? change = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        string beside = $"{path}.{Guid.NewGuid():N}.new";
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (var writer = new StreamWriter(beside, options))
            writer.Write(Mint(audience, change));
        File.Move(beside, path, overwrite: true);
    }

    /// <summary>Names shape and subject, never the request token.</summary>
    public override string ToString() => $"JobIdentity({Shape}, {Subject})";
}
