namespace Nhi.TokenExchange;

/// <summary>A login of a database: role and password, made for one job.</summary>
public sealed class DatabaseLogin : Credential
{
    // Longer than any password of ours or of a cloud's (tokens of 64 KiB are those of BearerToken).
    private const int MaxLength = 1024;

    /// <summary>Makes a login from what a database made.</summary>
    /// <param name="role">The name of its login role, which clients call the user name. Not secret.</param>
    /// <param name="password">The password: visible ASCII, at most 1,024 characters.</param>
    /// <param name="expiresAt">The instant from which the database lets nobody in with it.</param>
    /// <exception cref="ArgumentException">The role is empty, or the password is, is too long, or has another character (named by position, never quoted).</exception>
    public DatabaseLogin(string role, string password, DateTimeOffset expiresAt)
        : base(Checked(password), expiresAt)
    {
        ArgumentException.ThrowIfNullOrEmpty(role);
        Role = role;
    }

    /// <summary>The name of its login role, which clients call the user name. Not secret.</summary>
    public string Role { get; }

    /// <summary>The password itself. For adapters that hand it to a driver; never for logs or messages.</summary>
    public string Reveal() => Secret;

    /// <summary>The admin's proof that the role was made with; it lives longer than the login, so that it can end it too. Null where the admin is the operating system's user.</summary>
    internal SubjectToken? AdminProof { get; init; }

    private static string Checked(string password)
    {
        ArgumentException.ThrowIfNullOrEmpty(password);
        if (password.Length > MaxLength)
            throw new ArgumentException($"The password has {password.Length} characters; at most {MaxLength} are taken.", nameof(password));
        int position = password.AsSpan().IndexOfAnyExceptInRange('!', '~');
        if (position >= 0)
            throw new ArgumentException($"The password has a character at position {position} of {password.Length} that is not visible ASCII.", nameof(password));
        return password;
    }
}
