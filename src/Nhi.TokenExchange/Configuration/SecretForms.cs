using System.Buffers;

namespace Nhi.TokenExchange;

/// <summary>The list that the page "What smells of a static secret" shows: names of settings, beginnings and parts of values.</summary>
internal static class SecretForms
{
    /// <summary>Names too short to be an ending of others; in lower case, without separators.</summary>
    public static readonly string[] Names = ["pat", "sas", "jwt", "pass", "auth", "key", "dsn", "pfx", "p12", "kubeconfig", "apppassword"];

    /// <summary>Endings of names; in lower case, without separators. A name that ends in File, Path, Type or Url holds no secret.</summary>
    public static readonly string[] NameEndings =
    [
        "secret", "secrets", "secretkey", "secretid", "password", "passwords", "passwd", "passphrase", "passcode", "pwd",
        "apikey", "apikeys", "accesskey", "accesskeyid", "accountkey", "authkey", "deploykey", "encryptionkey", "functionkey", "hostkey", "licensekey", "masterkey", "privatekey", "privatekeydata",
        "clientkeydata", "serviceaccountkey", "sharedaccesskey", "sharedkey", "signingkey", "sshkey", "storagekey", "subscriptionkey", "hmackey", "sessionkey",
        "token", "tokens", "bearer", "cookie", "cookies", "authorization", "assertion", "sharedaccesssignature", "sasurl", "sasuri",
        "connectionstring", "connectionstrings", "connstr", "credential", "credentials", "credentialsjson", "serviceaccountjson", "certificatedata",
    ];

    /// <summary>What may stand behind a name and changes nothing: which of several it is, or how it is written.</summary>
    public static readonly string[] NameTails =
    [
        "value", "text", "plain", "raw", "base64", "b64", "hex", "old", "new", "previous", "prev", "current", "next", "legacy", "rotated", "backup", "bak", "copy", "temp", "tmp",
        "primary", "secondary", "default", "fallback", "dev", "test", "staging", "production", "prod",
    ];

    /// <summary>What may stand in front of a whole name. Of two that begin alike the longer comes first.</summary>
    public static readonly string[] NameFronts =
    [
        "my", "old", "new", "previous", "prev", "current", "next", "legacy", "rotated", "backup", "temp", "tmp", "primary", "secondary", "default", "fallback", "dev", "test", "staging", "production", "prod",
    ];

    /// <summary>What a connection string, a signed address or a key file has in it; in lower case, without spaces.</summary>
    public static readonly string[] Parts =
    [
        "password=", "pwd=", "accountkey=", "sharedaccesskey=", "sharedaccesssignature=", "client_secret=", "clientsecret=", "secret=", "access_token=", "apikey=", "api_key=",
        "privatekey-----", "\"private_key", "client-key-data:", "?sig=", "&sig=", "x-amz-signature=", "x-amz-security-token=", "x-goog-signature=", "hooks.slack.com/services/", ".atlasv1.",
    ];

    private const string Digits = "0123456789";
    private const string Lower = "abcdefghijklmnopqrstuvwxyz";
    private const string Upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

    private static readonly SearchValues<char> Hex = SearchValues.Create("0123456789abcdef-");
    private static readonly SearchValues<char> Letters = SearchValues.Create(Digits + Lower + Upper);
    private static readonly SearchValues<char> Word = SearchValues.Create(Digits + Lower + Upper + "-_");
    private static readonly SearchValues<char> Token = SearchValues.Create(Digits + Lower + Upper + "-_.~+/=");

    /// <summary>How values begin. The shorter and wordier a beginning, the more is asked of the rest, so that names pass.</summary>
    public static readonly Beginning[] Beginnings =
    [
        new("dapi", 32, Hex, "a Databricks personal access token"), new("dose", 32, Hex, "a Databricks OAuth secret"), new("dkea", 32, Hex, "a Databricks token"),
        new("ghp_", 20, Letters, "a GitHub token"), new("gho_", 20, Letters, "a GitHub token"), new("ghu_", 20, Letters, "a GitHub token"), new("ghs_", 20, Letters, "a GitHub token"),
        new("ghr_", 20, Letters, "a GitHub token"), new("github_pat_", 20, Word, "a GitHub token"),
        new("glpat-", 20, Word, "a GitLab token"), new("gldt-", 20, Word, "a GitLab token"), new("glrt-", 20, Word, "a GitLab token"), new("glptt-", 20, Word, "a GitLab token"), new("glcbt-", 20, Word, "a GitLab token"),
        new("ATBB", 28, Letters, "a Bitbucket password"), new("ATATT3", 40, Token, "an Atlassian token"),
        new("AKIA", 16, Letters, "an AWS access key"), new("ASIA", 16, Letters, "an AWS access key"),
        new("AIza", 30, Word, "a Google API key"), new("ya29.", 20, Token, "a Google access token"), new("1//0", 30, Word, "a Google refresh token"), new("GOCSPX-", 20, Word, "a Google client secret"),
        new("GOOG1E", 40, Letters, "a Google HMAC key"), new("LTAI", 12, Letters, "an Alibaba access key", Demand.Digit),
        new("hvs.", 20, Word, "a Vault token"), new("hvb.", 20, Word, "a Vault token"), new("hvr.", 20, Word, "a Vault token"), new("dp.st.", 30, Letters, "a Doppler token"), new("AGE-SECRET-KEY-1", 40, Letters, "an age key"),
        new("xox", 20, Word, "a Slack token", Demand.Digit), new("xapp-", 40, Word, "a Slack token", Demand.Digit),
        new("npm_", 30, Letters, "an npm token"), new("pypi-", 60, Word, "a PyPI token"), new("oy2", 43, Letters, "a NuGet key"), new("rubygems_", 40, Hex, "a RubyGems key"), new("dckr_pat_", 20, Word, "a Docker token"),
        new("AKCp", 60, Letters, "a JFrog key"), new("squ_", 40, Hex, "a Sonar token"),
        new("sk_live_", 16, Letters, "a Stripe key"), new("sk_test_", 16, Letters, "a Stripe key"), new("rk_live_", 16, Letters, "a Stripe key"), new("whsec_", 30, Token, "a webhook's secret"),
        new("SG.", 60, Token, "a SendGrid key"), new("shpat_", 32, Hex, "a Shopify token"), new("sk-", 20, Word, "an API key", Demand.Mixture), new("hf_", 30, Letters, "a Hugging Face token"),
        new("dop_v1_", 60, Hex, "a DigitalOcean token"), new("glsa_", 30, Word, "a Grafana token"), new("glc_", 40, Token, "a Grafana token"), new("NRAK-", 27, Letters, "a New Relic key"), new("pul-", 40, Hex, "a Pulumi token"),
        new("CCIPAT_", 40, Word, "a CircleCI token"), new("tskey-", 30, Word, "a Tailscale key"), new("lin_api_", 32, Letters, "a Linear key"), new("PMAK-", 50, Hex, "a Postman key"),
        new("Bearer ", 16, Token, "an Authorization header", Demand.Digit), new("Basic ", 8, Token, "an Authorization header", Demand.Pair),
    ];

    /// <summary>What the rest must show besides its alphabet and length.</summary>
    public enum Demand
    {
        None,
        Digit,
        Mixture,   // a piece of capitals, small letters and digits
        Pair,      // RFC 7617 §2: base64 of user, colon, password
    }

    /// <summary>How a value begins that is a secret.</summary>
    /// <param name="Text">The first characters.</param>
    /// <param name="Rest">How many follow at least.</param>
    /// <param name="Alphabet">Which they are.</param>
    /// <param name="Form">What it is.</param>
    /// <param name="Demand">What else they show.</param>
    public sealed record Beginning(string Text, int Rest, SearchValues<char> Alphabet, string Form, Demand Demand = Demand.None);
}
