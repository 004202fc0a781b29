using System.Buffers;
using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace Nhi.TokenExchange;

/// <summary>Reads one section of the configuration, for one kind of source or exchanger.</summary>
/// <remarks>
/// A method that finds something wrong notes it with its path, gives a harmless placeholder and goes on, so that all errors are said at
/// once; what was made of placeholders is disposed, never used. What nobody asked for is an unknown setting and an error too, so ask for
/// each setting always. Read no file and call nobody here. A secret has no place in the section; no method gives one out.
/// </remarks>
public sealed class SettingsReader
{
    // Told by reference, so that a setting that says just this is read like any other.
    private static readonly string Placeholder = new("placeholder".AsSpan());
    private static readonly Uri PlaceholderAddress = new("https://placeholder.invalid/");

    // Control characters (Unicode's category Cc) and what stands for a byte that was none of UTF-8.
    private static readonly SearchValues<char> Unreadable = SearchValues.Create([.. Enumerable.Range(0, 256).Select(c => (char)c).Where(char.IsControl), '\ufffd']);

    private readonly ConfigurationErrors _errors;
    private readonly SecretSmells _smells;
    private readonly Dictionary<string, IConfigurationSection> _settings = new(StringComparer.OrdinalIgnoreCase);
    private readonly SortedSet<string> _known = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<SettingsReader> _children = [];
    private bool _isGivenUp;

    internal SettingsReader(IConfigurationSection section, ConfigurationErrors errors, SecretSmells smells)
    {
        Path = section.Path;
        Value = section.Value;
        _errors = errors;
        _smells = smells;
        foreach (IConfigurationSection setting in section.GetChildren())
        {
            // A name that is itself shaped like a secret is noted already, and must not get into a path.
            if (SecretSmell.FormOf(setting.Key) is null && !_settings.TryAdd(setting.Key, setting))
                errors.Add(setting.Path, "differs from another setting in upper and lower case only", "Leave one of them.");
        }
    }

    /// <summary>The path of this section from the root of the configuration, such as <c>TokenExchange:Targets:warehouse</c>.</summary>
    public string Path { get; }

    /// <summary>The value of the section itself; null where it is an object, as it should be.</summary>
    internal string? Value { get; }

    /// <summary>The names of what is in this section.</summary>
    internal IReadOnlyCollection<string> Names => _settings.Keys;

    /// <summary>A text that must be there.</summary>
    /// <param name="name">The name of the setting.</param>
    public string Text(string name) => Text(name, "Write it: one text.");

    private string Text(string name, string remedy)
    {
        int before = _errors.Count;
        if (OptionalText(name) is { } text)
            return text;
        if (_errors.Count == before && !_smells.Has(PathOf(name)))
            Error(name, "is missing", remedy);
        return Placeholder;
    }

    /// <summary>A text that may be left out. An empty one is an error: empty is not the same as unset.</summary>
    /// <param name="name">The name of the setting.</param>
    public string? OptionalText(string name) => OptionalText(name, "Write one value.");

    /// <summary>As the public one, with what to do where a list or an object was written.</summary>
    internal string? OptionalText(string name, string remedy)
    {
        if (!Find(name, out IConfigurationSection? setting) || _smells.Has(setting.Path))
            return null;
        if (setting.GetChildren().Any())
            Error(name, IsList(setting) ? "is a list" : "is an object", remedy);
        else if (setting.Value is "")
            SayEmpty(setting);
        else if (setting.Value is not { } text || IsReadable(setting.Path, text))
            return setting.Value;
        return null;
    }

    /// <summary>A text that may be left out, and has a form.</summary>
    /// <param name="name">The name of the setting.</param>
    /// <param name="faultOf">What is wrong with it; null if nothing is.</param>
    /// <param name="remedy">What to do then.</param>
    internal string? OptionalText(string name, Func<string, string?> faultOf, string remedy) => Checked(name, OptionalText(name), faultOf, remedy);

    /// <summary>An absolute https address that must be there: no user, no query, no fragment; a path may be. Loopback may be http.</summary>
    /// <param name="name">The name of the setting.</param>
    public Uri HttpsUri(string name) => Address(name, Text(name, "Write an address such as https://name.example/path."), originOnly: false);

    /// <summary>As <see cref="HttpsUri"/>, but scheme, host and port only.</summary>
    /// <param name="name">The name of the setting.</param>
    public Uri HttpsOrigin(string name) => Address(name, Text(name, "Write an address such as https://name.example."), originOnly: true);

    /// <summary>A time of the form <c>hh:mm:ss</c>.</summary>
    /// <param name="name">The name of the setting.</param>
    /// <param name="ifMissing">What it is if it is left out.</param>
    /// <param name="min">The shortest allowed.</param>
    /// <param name="max">The longest allowed; less than a day.</param>
    public TimeSpan Duration(string name, TimeSpan ifMissing, TimeSpan min, TimeSpan max)
    {
        if (OptionalText(name) is not { } text)
            return ifMissing;
        bool isOfTheForm = TimeSpan.TryParseExact(text, @"hh\:mm\:ss", CultureInfo.InvariantCulture, out TimeSpan time);
        if (isOfTheForm && time >= min && time <= max)
            return time;
        // Hours from 24 on are no part of the form, but what is wrong with them is the range.
        Error(name, isOfTheForm || IsOfDays(text) ? $"is {text}, which is out of its range" : $"{(CanBeShown(text) ? $"is {text}, which " : "")}is not a time of the form hh:mm:ss", $"Write a time from {min:hh\\:mm\\:ss} to {max:hh\\:mm\\:ss}.");
        return ifMissing;
    }

    // A time that is mistyped begins with a digit; a key that was pasted there is longer.
    private static bool CanBeShown(string text) => text.Length is > 0 and <= 8 && char.IsAsciiDigit(text[0]) && text.All(c => char.IsAsciiLetterOrDigit(c) || c is ':' or '.' or '-');

    private static bool IsOfDays(string text) =>
        TimeSpan.TryParseExact(text, @"d\.hh\:mm\:ss", CultureInfo.InvariantCulture, out _) || text.Length is 8 or 9 && text.IndexOf(':', StringComparison.Ordinal) is var end && end == text.Length - 6 && text.AsSpan(0, end).IndexOfAnyExceptInRange('0', '9') < 0
            && TimeSpan.TryParseExact(text.AsSpan(end + 1), @"mm\:ss", CultureInfo.InvariantCulture, out _);

    /// <summary>An absolute path of a file. Nothing in it is expanded: no <c>~</c>, no variable.</summary>
    /// <param name="name">The name of the setting.</param>
    public string FilePath(string name) => FilePath(name, beside: null);

    /// <summary>As the public one; a path that is not absolute is below the given folder.</summary>
    internal string FilePath(string name, string? beside)
    {
        string text = Text(name, "Write the whole path of a file.");
        if (ReferenceEquals(text, Placeholder))
            return "/" + Placeholder;
        if (beside is not null && !System.IO.Path.IsPathFullyQualified(text) && text[0] is not ('~' or '/' or '\\'))
            text = System.IO.Path.Join(beside, text);
        if (!System.IO.Path.IsPathFullyQualified(text))
            Error(name, "is not an absolute path", "Write the whole path from the root on; ~ and variables are not expanded.");
        else if (text.AsSpan().ContainsAny('$', '%') || System.IO.Path.EndsInDirectorySeparator(text))
            Error(name, "has a variable in it or names a folder", "Write the path of a file; nothing is expanded.");
        else
            return text;
        return "/" + Placeholder;
    }

    /// <summary>A list of texts. Left out, it is empty; written, it must have entries.</summary>
    /// <param name="name">The name of the setting.</param>
    public IReadOnlyList<string> List(string name) =>
        [.. Entries(name).Where(entry => IsReadable(PathOf(entry.Name), entry.Text)).Select(entry => entry.Text)];

    /// <summary>A section within this one; an empty one if it is left out.</summary>
    /// <param name="name">The name of the section.</param>
    public SettingsReader Child(string name)
    {
        if (Find(name, out IConfigurationSection? setting) && setting.Value is "")
            SayEmpty(setting);
        else if (setting?.Value is not null && !_smells.Has(setting.Path))
            Error(name, "is one value", "Write an object with settings.");
        var child = new SettingsReader(setting ?? EmptySection.At(PathOf(name)), _errors, _smells);
        _children.Add(child);
        return child;
    }

    /// <summary>Notes an error.</summary>
    /// <param name="name">The name of the setting; empty for the section as a whole.</param>
    /// <param name="what">What is wrong, without a full stop. Never quote a value that could be a secret.</param>
    /// <param name="remedy">What to do: a sentence.</param>
    public void Error(string name, string what, string remedy)
    {
        ArgumentNullException.ThrowIfNull(name);
        _errors.Add(PathOf(name), what, remedy);
    }

    /// <summary>As <see cref="List"/>, each of a form.</summary>
    internal List<string> Entries(string name, Func<string, string?> faultOf, string remedy) =>
        [.. Entries(name).Select(entry => Checked(entry.Name, entry.Text, faultOf, remedy)).OfType<string>()];

    private string? Checked(string name, string? text, Func<string, string?> faultOf, string remedy)
    {
        if (text is null || faultOf(text) is not { } fault)
            return text;
        Error(name, fault, remedy);
        return null;
    }

    /// <summary>As <see cref="List"/>, each with its name, such as <c>Scopes:1</c>, and whatever characters there are.</summary>
    internal List<(string Name, string Text)> Entries(string name)
    {
        if (!Find(name, out IConfigurationSection? setting) || _smells.Has(setting.Path))
            return [];
        var entries = new List<(string, string)>();
        foreach (IConfigurationSection entry in setting.GetChildren())
        {
            if (_smells.Has(entry.Path))
                continue;
            if (entry.Value is "")
                SayEmpty(entry);
            else if (entry.Value is null || entry.GetChildren().Any() || !int.TryParse(entry.Key, NumberStyles.None, CultureInfo.InvariantCulture, out _))
                _errors.Add(entry.Path, "is no entry of a list", "Write a list of texts.");
            else
                entries.Add((ConfigurationPath.Combine(name, entry.Key), entry.Value));
        }
        if (!setting.GetChildren().Any())
            Error(name, string.IsNullOrEmpty(setting.Value) ? "has no entry" : "is one value", "Write a list with at least one entry, or take the setting out.");
        return entries;
    }

    /// <summary>Whether the section was written as a list: its settings are 0, 1 and so on.</summary>
    internal bool IsList() => _settings.Count > 0 && Enumerable.Range(0, _settings.Count).All(index => _settings.ContainsKey(index.ToString(CultureInfo.InvariantCulture)));

    /// <summary>What an editor writes for itself: not read, and not unknown.</summary>
    internal void Tolerate(string name) => _settings.Remove(name);

    internal bool Has(string name) => Find(name, out _);

    /// <summary>Whether a setting is there with anything in it: one that is null says nothing.</summary>
    internal bool IsSaid(string name) => Find(name, out IConfigurationSection? setting) && (setting.Value is not null || setting.GetChildren().Any());

    /// <summary>One of the words of an enumeration, exactly as they are spelt; left out, the first.</summary>
    internal T OneOf<T>(string name)
        where T : struct, Enum
    {
        if (OptionalText(name) is not { } text)
            return default;
        if (Array.IndexOf(Enum.GetNames<T>(), text) >= 0)
            return Enum.Parse<T>(text);
        Error(name, "is none of the known words", UnknownSetting.Nearest(text, Enum.GetNames<T>()) is { } nearest ? $"Did you mean {nearest}? Write it so." : $"Write one of: {string.Join(", ", Enum.GetNames<T>())}.");
        return default;
    }

    /// <summary>True or false; left out, false.</summary>
    internal bool Flag(string name)
    {
        if (OptionalText(name) is not { } text)
            return false;
        if (!bool.TryParse(text, out bool flag))
            Error(name, "is neither true nor false", "Write true or false.");
        return flag;
    }

    /// <summary>Nobody could ask for the rest: what is unread here is not called unknown.</summary>
    internal void GiveUp() => _isGivenUp = true;

    /// <summary>Notes an error for each setting that nobody asked for.</summary>
    internal void Close()
    {
        foreach (IConfigurationSection setting in _settings.Values)
        {
            if (!_isGivenUp && !_known.Contains(setting.Key) && !_smells.HasIn(setting.Path))
                UnknownSetting.Add(_errors, setting.Path, setting.Key, _known);
        }
        _children.ForEach(child => child.Close());
    }

    internal Uri Address(string name, string text, bool originOnly)
    {
        if (ReferenceEquals(text, Placeholder))
            return PlaceholderAddress;
        if (HttpsAddress.TryRead(text, originOnly, out string what, out string remedy) is { } address)
            return address;
        Error(name, what, remedy);
        return PlaceholderAddress;
    }

    private static bool IsList(IConfigurationSection setting) =>
        setting.GetChildren().Select((entry, index) => entry.Key == index.ToString(CultureInfo.InvariantCulture)).All(isNext => isNext);

    private void SayEmpty(IConfigurationSection setting)
    {
        string path = ExceptionText.Clean(setting.Path, 300);
        _errors.Add(path, "is empty, which is not the same as unset", $"Write a value or take the setting out; an environment variable {path.Replace(":", "__", StringComparison.Ordinal)} that is set to nothing must be unset.");
    }

    private bool IsReadable(string path, string text)
    {
        int position = text.AsSpan().IndexOfAny(Unreadable);
        if (position < 0)
            return true;
        // A decoder puts U+FFFD where bytes were not of its encoding.
        if (text[position] == '\ufffd')
            _errors.Add(path, string.Create(CultureInfo.InvariantCulture, $"has a character at position {position} that could not be read"), "Save the file as UTF-8.");
        else
            _errors.Add(path, string.Create(CultureInfo.InvariantCulture, $"has a control character at position {position}"), "Take it out.");
        return false;
    }

    private bool Find(string name, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out IConfigurationSection? setting)
    {
        ArgumentNullException.ThrowIfNull(name);   // an empty one is refused where it is used
        _known.Add(name);
        return _settings.TryGetValue(name, out setting);
    }

    private string PathOf(string name) => name.Length == 0 ? Path : ConfigurationPath.Combine(Path, name);
}
