namespace Nhi.TokenExchange;

/// <summary>A part of AWS that shares nothing with the others: "Partitions" of the AWS SDKs.</summary>
/// <param name="Name">What ARNs begin with after <c>arn:</c>.</param>
/// <param name="Domain">What host names end with.</param>
/// <param name="Prefixes">What the names of its regions begin with.</param>
internal sealed record AwsPartition(string Name, string Domain, params string[] Prefixes)
{
    // The narrower prefixes first: us-gov-west-1 begins with us-, too.
    private static readonly AwsPartition[] All =
    [
        new("aws-cn", "amazonaws.com.cn", "cn-"),
        new("aws-us-gov", "amazonaws.com", "us-gov-"),
        new("aws-iso", "c2s.ic.gov", "us-iso-"),
        new("aws-iso-b", "sc2s.sgov.gov", "us-isob-"),
        new("aws-iso-e", "cloud.adc-e.uk", "eu-isoe-"),
        new("aws-iso-f", "csp.hci.ic.gov", "us-isof-"),
        new("aws-eusc", "amazonaws.eu", "eusc-"),
        new("aws", "amazonaws.com", "us-", "eu-", "ap-", "sa-", "ca-", "me-", "af-", "il-", "mx-"),
    ];

    /// <summary>The audience that IAM OIDC providers list for STS by custom.</summary>
    public string Audience => Name == "aws-cn" ? "sts.amazonaws.com.cn" : "sts.amazonaws.com";

    /// <summary>Whether there are FIPS endpoints. GovCloud's only ones are.</summary>
    public bool HasFips => Name is "aws" or "aws-us-gov";

    /// <summary>The partition of a region's name; null if it is none. A new region of a known partition is known.</summary>
    public static AwsPartition? OfRegion(string region) =>
        IsName(region) ? All.FirstOrDefault(partition => partition.Prefixes.Any(prefix => region.StartsWith(prefix, StringComparison.Ordinal))) : null;

    /// <summary>"AWS STS endpoints": the regional one. The global one is us-east-1's under another name, and its tokens are refused by regions that were opted into.</summary>
    public Uri Endpoint(string region, bool useFips) => new($"https://sts{(useFips && Name == "aws" ? "-fips" : "")}.{region}.{Domain}");

    // eu-central-1, us-gov-west-1
    private static bool IsName(string region) =>
        region.Split('-') is { Length: >= 3 } pieces
        && pieces[..^1].All(piece => piece.Length > 0 && piece.All(char.IsAsciiLetterLower))
        && pieces[^1].Length is 1 or 2 && pieces[^1].All(char.IsAsciiDigit);
}
