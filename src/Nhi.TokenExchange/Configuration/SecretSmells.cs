using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace Nhi.TokenExchange;

/// <summary>Where in our section static secrets were found: noted as errors with path and length, never with the value.</summary>
internal sealed class SecretSmells
{
    // Nothing of ours is deeper than five; what is, is not walked.
    private const int MaxDepth = 16;

    private readonly HashSet<string> _paths = new(StringComparer.OrdinalIgnoreCase);
    private readonly ConfigurationErrors _errors;
    private readonly IConfigurationSection _root;

    private SecretSmells(IConfigurationSection root, ConfigurationErrors errors)
    {
        _root = root;
        _errors = errors;
    }

    /// <summary>Looks at each setting of the section, known or not.</summary>
    public static SecretSmells FindIn(IConfigurationSection root, ConfigurationErrors errors)
    {
        var smells = new SecretSmells(root, errors);
        smells.Walk(root, []);
        return smells;
    }

    public bool Has(string path) => _paths.Contains(path);

    /// <summary>Whether this setting or one in it was found.</summary>
    public bool HasIn(string path) => Has(path) || _paths.Any(found => found.StartsWith(path + ConfigurationPath.KeyDelimiter, StringComparison.OrdinalIgnoreCase));

    private void Walk(IConfigurationSection section, string[] parents)
    {
        foreach (IConfigurationSection setting in section.GetChildren())
        {
            string[] path = [.. parents, setting.Key];
            // Entries of these two are named by their users; "token" is a fair name of an identity.
            bool isEntry = path is [var room, _] && (Is(room, "Identities") || Is(room, "Targets"));
            // A path is quoted in messages; a key that is itself shaped like a secret is not.
            string shown = ExceptionText.Clean(setting.Path, 300);
            if (SecretSmell.FormOf(setting.Key) is not null)
                Note(setting, ExceptionText.Clean(section.Path, 300) + ":(name not shown)", "has a name that looks like a secret", path);
            else if (!isEntry && SecretSmell.IsInName(setting.Key))
                Note(setting, shown, $"is not a setting{LengthOf(setting.Value)}: static secrets have no place here", path);
            else if (setting.Value is { Length: > 0 } value && SecretSmell.FormOf(value, ShortestKeyIn(path, value)) is { } form)
                Note(setting, shown, $"looks like {form}{LengthOf(value)}: static secrets have no place here", path, isAddress: form == SecretSmell.AddressWithPassword);
            else if (path.Length < MaxDepth)
                Walk(setting, path);
            else
                _errors.Add(shown, "is nested too deep", "Take it out.");
        }
    }

    private void Note(IConfigurationSection setting, string shown, string what, string[] path, bool isAddress = false)
    {
        _paths.Add(setting.Path);
        _errors.Add(shown, what, $"{(isAddress && !IsOfProxy(path) ? "Write the address alone, such as https://host/path: no user, no password, no query." : FederatedLine(path))} Remove the secret and rotate it: it has been in a file or a variable.", ErrorCodes.StaticSecret);
    }

    /// <summary>What to write instead.</summary>
    private string FederatedLine(string[] path)
    {
        if (path is [var identities, var identity, ..] && Is(identities, "Identities"))
            return $"An identity proves itself at run time; write \"{(IsName(identity) ? identity : "job")}\": {{ \"Source\": \"OidcFile\", \"Path\": \"/var/run/secrets/job/token\" }}, or another source.";
        if (IsOfProxy(path))
            return "The way to issuers is the platform's: set HTTPS_PROXY and NO_PROXY, and let the proxy know the machine instead of a password.";
        if (path is not [var targets, var target, ..] || !Is(targets, "Targets"))
            return "Write an identity under Identities, and name it by the targets.";
        IConfigurationSection section = _root.GetSection("Targets").GetSection(target);
        string proof = Named(section, "Identity") ?? Named(section, "Through") ?? $"\"Identity\": \"{FirstIdentity()}\"";
        return section["Exchange"] switch
        {
            "Databricks" => $"Write {proof}, \"Exchange\": \"Databricks\", \"Host\": \"https://…\", \"ClientId\": \"…\", and give the service principal a federation policy for that identity.",
            "Rfc8693" => $"Write {proof}, \"Exchange\": \"Rfc8693\", and let the issuer trust that identity's issuer (RFC 8693).",
            "JwtBearer" => $"Write {proof}, \"Exchange\": \"JwtBearer\", and let the issuer trust that identity's issuer (RFC 7523).",
            "Entra" or "EntraWorkloadIdentity" => $"Write {proof}, \"Exchange\": \"Entra\", \"TenantId\": \"…\", \"ClientId\": \"…\", and give the application a federated identity credential for that identity; then delete its secret.",
            "ManagedIdentity" => $"Write {proof}, \"Exchange\": \"ManagedIdentity\", \"Resource\": \"https://…\": the platform keeps what it proves itself with.",
            "PostgresRole" => $"Write {proof}, \"Exchange\": \"PostgresRole\", \"Host\": \"/var/run/postgresql\", and let the server let the admin in by peer; over TCP let the target go Through another whose token is his password.",
            _ => $"Write {proof}: its proof is exchanged for a credential that lives minutes.",
        };
    }

    private static bool IsOfProxy(string[] path) => path.Any(name => name.Contains("proxy", StringComparison.OrdinalIgnoreCase));

    // What the target says already stays as it is.
    private static string? Named(IConfigurationSection target, string setting) =>
        target[setting] is { } name && IsName(name) && ConfigurationErrors.CanBeShown(name) ? $"\"{setting}\": \"{name}\"" : null;

    private string FirstIdentity() =>
        _root.GetSection("Identities").GetChildren().Select(identity => identity.Key).FirstOrDefault(IsName) ?? "job";

    private static bool IsName(string text) =>
        text.Length is > 0 and <= 64 && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-') && SecretSmell.FormOf(text) is null;

    // Names of runs, clients and audiences are often random, and public.
    private static int ShortestKeyIn(string[] path, string value) => path switch
    {
        [var job, var fact] when Is(job, "Job") && (Is(fact, "Run") || Is(fact, "Task")) => int.MaxValue,
        [.., var name] when Is(name, "SubjectAudience") => int.MaxValue,
        [.., var list, _] when Is(list, "Audiences") => int.MaxValue,
        [.., var name] when Is(name, "ClientId") => SecretSmell.ShortestKeyInClientId(value),
        _ => SecretSmell.ShortestKey,
    };

    private static string LengthOf(string? value) =>
        value is { Length: > 0 } ? string.Create(CultureInfo.InvariantCulture, $" (its value, {value.Length} characters, is not shown)") : "";

    private static bool Is(string left, string right) => string.Equals(left, right, StringComparison.OrdinalIgnoreCase);
}
