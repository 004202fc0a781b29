namespace Nhi.TokenExchange;

/// <summary>Entra's way to say "all that was granted for one resource": the resource's identifier and <c>/.default</c>.</summary>
internal static class EntraScope
{
    public const string Suffix = "/.default";

    /// <summary>The resource of a scope; a resource stays as it is. A suffix that was written twice is taken off twice.</summary>
    public static string ResourceOf(string text)
    {
        while (text.EndsWith(Suffix, StringComparison.OrdinalIgnoreCase) && text.Length > Suffix.Length)
            text = text[..^Suffix.Length];
        return text;
    }

    /// <summary>The one scope of a resource.</summary>
    public static string DefaultOf(string resource) => ResourceOf(resource) + Suffix;

    /// <summary>Says what is wrong with the scopes of a target of Entra ID; null if nothing is.</summary>
    public static string? FlawOf(ScopeSet scopes)
    {
        if (scopes.Values is not [var scope])
            return $"{(scopes.IsEmpty ? "are none" : $"are {scopes.Values.Count}")}; Entra ID takes exactly one for a job, {{resource}}/.default, such as https://storage.azure.com/.default";
        if (!scope.EndsWith(Suffix, StringComparison.Ordinal) || scope.Length == Suffix.Length)
            return $"have '{ExceptionText.Clean(scope)}', which does not end in /.default: a job gets what was granted to its application, for one resource (AADSTS1002012)";
        string resource = scope[..^Suffix.Length];
        return resource.EndsWith(Suffix, StringComparison.OrdinalIgnoreCase) ? $"have '{ExceptionText.Clean(scope)}' with /.default twice" : null;
    }
}
