namespace Nhi.TokenExchange;

/// <summary>How a proof lies in its file.</summary>
public sealed class OidcFileOptions
{
    /// <summary>What kind of token the file holds. Default <see cref="SubjectTokenType.Jwt"/>.</summary>
    public SubjectTokenType TokenType { get; set; } = SubjectTokenType.Jwt;

    /// <summary>The file is a JSON object and the token is the text of this field, at the top. Default null: the file is the token.</summary>
    public string? JsonField { get; set; }

    /// <summary>
    /// Whether a file that every user of the machine can read is taken. Default true: a container has one user, and CI systems write such files;
    /// false refuses them, but not under <c>/var/run/secrets</c> and <c>/run/secrets</c> nor in a projected volume (<c>..data</c>), where the platform sets the mode.
    /// A file that others can <i>write</i> is refused in any case.
    /// </summary>
    public bool AllowWorldReadable { get; set; } = true;
}
