namespace Nhi.TokenExchange;

/// <summary>Looks at the names that a target for Google Cloud says. What is wrong is told as a sentence without subject.</summary>
internal static class GoogleNames
{
    private const string Buckets = "//storage.googleapis.com/projects/_/buckets/";

    /// <summary>What is wrong with a service account; null if nothing is.</summary>
    public static string? FaultOfAccount(string email)
    {
        bool isEmail = email.Split('@') is [{ Length: > 0 }, var domain] && email.Length <= 200 && domain.Contains('.', StringComparison.Ordinal) && email.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '@' or '.' or '-' or '_');
        return isEmail ? null : "is no email of a service account, such as loader@my-project.iam.gserviceaccount.com";
    }

    /// <summary>What is wrong with what a boundary is for; null if nothing is.</summary>
    public static string? FaultOfBucket(string resource) =>
        resource.StartsWith(Buckets, StringComparison.Ordinal) && IsPlain(resource[Buckets.Length..]) ? null : $"is no bucket of Cloud Storage, which alone knows boundaries: {Buckets}orders";

    /// <summary>What is wrong with a permission of a boundary; null if nothing is.</summary>
    public static string? FaultOfPermission(string permission) =>
        permission.StartsWith("inRole:", StringComparison.Ordinal) && permission.Contains("roles/", StringComparison.Ordinal) && permission.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is ':' or '/' or '.' or '_' or '-') ? null : "is no permission of a boundary, such as inRole:roles/storage.objectViewer";

    /// <summary>What is wrong with a domain; null if nothing is.</summary>
    public static string? FaultOfDomain(string domain) => Uri.CheckHostName(domain) == UriHostNameType.Dns && domain.Contains('.', StringComparison.Ordinal) && !domain.EndsWith('.') ? null : "is no domain, such as googleapis.com";

    /// <summary>What is wrong with scopes; null if nothing is.</summary>
    public static string? FaultOfScopes(ScopeSet scopes) =>
        scopes.Values.FirstOrDefault(scope => !scope.StartsWith("https://", StringComparison.Ordinal) && scope is not ("openid" or "email")) is { } odd
            ? $"name '{ExceptionText.Clean(odd, 60)}', which is no scope of Google. Write it whole, such as https://www.googleapis.com/auth/devstorage.read_only"
            : null;

    private static bool IsPlain(string name) => name.Length is >= 3 and <= 222 && name.All(letter => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter) || letter is '-' or '_' or '.');
}
