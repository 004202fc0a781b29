using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace Nhi.TokenExchange;

/// <summary>Collects what is wrong with a configuration, so that all of it is said at once.</summary>
internal sealed class ConfigurationErrors
{
    private const int MaxNameLength = 64;
    private const int MaxPathLength = 300;

    // "orders-etl-eu-west-1-20260101" has as many digits as a name ever needs.
    private const int LongestShown = 40;
    private const int MostDigitsShown = 9;
    private const int ShortestMixture = 12;
    private static readonly SearchValues<char> NameCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-");

    private readonly List<ConfigurationError> _errors = [];

    /// <summary>The path of the section that is read, by which errors are grouped; null if there is none.</summary>
    public string? Section { get; set; }

    public int Count => _errors.Count;

    /// <summary>Notes an error.</summary>
    /// <param name="path">The path of the setting.</param>
    /// <param name="what">What was wrong; a value only if it can't be a secret.</param>
    /// <param name="remedy">What to do.</param>
    /// <param name="code">The error code.</param>
    public void Add(string path, string what, string remedy, string code = ErrorCodes.InvalidConfiguration)
    {
        path = ExceptionText.Clean(path, MaxPathLength);   // keys are anybody's text
        var error = new ConfigurationError(code, path, what, remedy);
        if (!_errors.Contains(error))
            _errors.Add(error);
    }

    /// <summary>Whether this could name an identity or a target.</summary>
    public static bool IsName([NotNullWhen(true)] string? name) =>
        !string.IsNullOrEmpty(name) && name.Length <= MaxNameLength && !name.AsSpan().ContainsAnyExcept(NameCharacters);

    /// <summary>Whether this could name a kind.</summary>
    public static bool IsWord(string word) => word.Length is > 0 and <= MaxNameLength && word.All(char.IsAsciiLetterOrDigit);

    /// <summary>Whether a value that should name something may be quoted: a key that was pasted into the wrong place is longer, or mixes letters and digits for longer.</summary>
    public static bool CanBeShown(string value) =>
        value.Length <= LongestShown && value.Count(char.IsAsciiDigit) <= MostDigitsShown && value.All(c => char.IsAsciiLetterOrDigit(c) || c == '-')
        && !value.Split('-').Any(piece => piece.Length >= ShortestMixture && piece.Any(char.IsAsciiDigit) && piece.Any(char.IsAsciiLetter)) && SecretSmell.FormOf(value) is null;

    public bool CheckName(string path, string? name)
    {
        if (IsName(name))
            return true;
        Add(path, "has a name that is empty, too long or has other characters", "Use lower-case letters, digits and hyphens, at most 64.");
        return false;
    }

    /// <summary>Throws one exception that names them all; its code is the most telling one's.</summary>
    /// <exception cref="TokenExchangeException">There are errors.</exception>
    public void ThrowIfAny()
    {
        if (_errors.Count == 0)
            return;
        string code = _errors.Select(error => error.Code).FirstOrDefault(code => code != ErrorCodes.InvalidConfiguration, ErrorCodes.InvalidConfiguration);
        throw new TokenExchangeException(code, ExchangeStage.Configure, ConfigurationReport.Of(_errors, Section));
    }
}
