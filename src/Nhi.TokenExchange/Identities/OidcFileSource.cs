using System.Globalization;
using System.Text.Json;

namespace Nhi.TokenExchange;

/// <summary>A proof in a file that its platform renews: read anew for each exchange, by its path each time, never by a handle that is kept.</summary>
internal sealed class OidcFileSource : IWorkloadIdentitySource
{
    // A writer that is not atomic leaves the file missing, empty or half written for milliseconds: looked at again three times within a second.
    private static readonly TimeSpan[] WaitsForTheWriter = [TimeSpan.FromMilliseconds(50), TimeSpan.FromMilliseconds(250), TimeSpan.FromMilliseconds(700)];

    // The kubelet renews at 80 % of the life; a proof that has ended is late by little, or for good.
    private static readonly TimeSpan WaitForRotation = TimeSpan.FromSeconds(1);

    private readonly ProofFile _file;
    private readonly SubjectTokenType _type;
    private readonly string? _jsonField;

    // Which proof was given last; a lost race between two flights costs a second of waiting.
    private string? _lastGiven;

    public OidcFileSource(string path, OidcFileOptions options)
    {
        _file = new ProofFile(path, options.AllowWorldReadable);
        _type = options.TokenType;
        _jsonField = options.JsonField;
        if (_jsonField is { Length: 0 })
            throw new ArgumentException("The name of the JSON field is empty.", nameof(options));
    }

    private bool MustBeJwt => _type == SubjectTokenType.Jwt || _type == SubjectTokenType.IdToken;

    public async ValueTask<SubjectToken> GetSubjectTokenAsync(SubjectTokenRequest request, CancellationToken cancellationToken)
    {
        string? refused = request.MustBeNew ? request.RefusedFingerprint ?? _lastGiven : null;
        SubjectToken token = await ReadWholeAsync(request.Time, cancellationToken).ConfigureAwait(false);
        if (IsOld(token, refused, request.Time))
        {
            await Task.Delay(WaitForRotation, request.Time, cancellationToken).ConfigureAwait(false);
            token = await ReadWholeAsync(request.Time, cancellationToken).ConfigureAwait(false);
        }
        if (token.Fingerprint == refused)
        {
            throw new IdentityUnavailableException(ErrorCodes.ProofExpired, $"The proof in {_file} was refused as expired, and the file still holds the same one.")
            {
                IsTransient = true, Hint = "Check that its platform renews the file; a file mounted by subPath is never renewed.",
            };
        }
        _lastGiven = token.Fingerprint;
        return token;   // one that has ended is refused by the check of proofs, which names both instants
    }

    public override string ToString() => $"OidcFile({_file})";

    private bool IsOld(SubjectToken token, string? refused, TimeProvider time) =>
        token.Fingerprint == refused || (MustBeJwt && JwtReader.Read(token.Reveal()).ExpiresAt - time.GetUtcNow() < ProofCheck.ExpiryLeeway);

    private async ValueTask<SubjectToken> ReadWholeAsync(TimeProvider time, CancellationToken cancellationToken)
    {
        for (int attempt = 0; ; attempt++)
        {
            try
            {
                // Off the caller's thread: a file system may hang, and the flight has a deadline.
                return Parse(await Task.Run(_file.Read, cancellationToken).ConfigureAwait(false));
            }
            catch (IdentityUnavailableException unfinished) when (unfinished.IsTransient && attempt < WaitsForTheWriter.Length)
            {
                await Task.Delay(WaitsForTheWriter[attempt], time, cancellationToken).ConfigureAwait(false);
            }
            catch (FormatException unfinished) when (attempt < WaitsForTheWriter.Length)
            {
                _ = unfinished;
                await Task.Delay(WaitsForTheWriter[attempt], time, cancellationToken).ConfigureAwait(false);
            }
            catch (FormatException malformed)
            {
                throw new IdentityUnavailableException(ErrorCodes.ProofMalformed, string.Create(CultureInfo.InvariantCulture, $"{_file} holds no usable proof: {malformed.Message}. It was read {attempt + 1} times within a second."))
                {
                    Hint = "Check what writes the file; a proof is put there whole, by renaming.",
                };
            }
        }
    }

    private SubjectToken Parse(string text)
    {
        string token = _jsonField is null ? WithoutFinalNewline(text) : ReadField(text, _jsonField);
        if (token.Length == 0)
            throw new FormatException("it is empty");
        int position = token.AsSpan().IndexOfAnyExceptInRange('!', '~');
        if (position >= 0)
            throw new FormatException($"white space, a control or a non-ASCII character at position {position}");
        if (!MustBeJwt)
            return new SubjectToken(token, _type) { Place = _file.ToString() };
        Jwt jwt = JwtReader.Read(token);
        return jwt.SignatureLengthFits
            ? new SubjectToken(token, _type, jwt.ExpiresAt) { Place = _file.ToString() }
            : throw new FormatException($"its signature has {jwt.SignatureBytes} bytes, which {jwt.Algorithm} does not have; it may be cut off");
    }

    // Editors and "echo" put one newline behind; more than that is another kind of file.
    private static string WithoutFinalNewline(string text) =>
        text.EndsWith("\r\n", StringComparison.Ordinal) ? text[..^2] : text.EndsWith('\n') ? text[..^1] : text;

    private static string ReadField(string text, string field)
    {
        try
        {
            using JsonDocument json = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = JwtReader.MaxDepth, AllowDuplicateProperties = false });
            return json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty(field, out JsonElement value) && value.ValueKind == JsonValueKind.String
                ? value.GetString()!
                : throw new FormatException($"it is JSON without a text '{ExceptionText.Clean(field)}' at the top");
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)
        {
            throw new FormatException("it is not JSON that can be read in one way only");
        }
    }
}
