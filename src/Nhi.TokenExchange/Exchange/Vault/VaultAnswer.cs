using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace Nhi.TokenExchange;

/// <summary>What Vault said in a 200 or 204 answer: the envelope of its API, and what was wrong with how it said it.</summary>
internal sealed class VaultAnswer
{
    /// <summary>The server's name for the request, fit to be shown; null if it says none.</summary>
    public string? RequestId { get; private set; }

    /// <summary>The handle of a dynamic secret; null where there is no lease.</summary>
    public string? LeaseId { get; private set; }

    /// <summary>Seconds; not checked for its range.</summary>
    public long? LeaseDuration { get; private set; }

    public bool IsRenewable { get; private set; }

    /// <summary>The secret as it was written: a JSON object.</summary>
    [DebuggerBrowsable(DebuggerBrowsableState.Never)]
    public string? Secret { get; private set; }

    /// <summary>The token of a login.</summary>
    [DebuggerBrowsable(DebuggerBrowsableState.Never)]
    public string? ClientToken { get; private set; }

    public string? Accessor { get; private set; }

    /// <summary>How often the token may be used; 0 is any number.</summary>
    public long Uses { get; private set; }

    /// <summary>What opens the wrapped answer, where it is one.</summary>
    [DebuggerBrowsable(DebuggerBrowsableState.Never)]
    public string? WrappingToken { get; private set; }

    /// <summary>The accessor of the token in a wrapped answer of a login: it can be ended by that, though nobody has opened it.</summary>
    public string? WrappedAccessor { get; private set; }

    /// <summary>Where a wrapped answer was made, as <c>sys/wrapping/lookup</c> says it.</summary>
    public string? CreationPath { get; private set; }

    /// <summary>The first fault of the form; null if there is none. Quotes no value.</summary>
    public string? Fault { get; private set; }

    /// <summary>The instant before the request was sent that this answers: lives count from here.</summary>
    public required DateTimeOffset AskedAt { get; set; }

    /// <summary>The name that is written down of a token or a lease, to end it by; null if it has a secret in it, or is a part of one.</summary>
    /// <param name="name">Its accessor or its id.</param>
    /// <param name="secrets">The tokens and proofs that were sent, and the token that came.</param>
    public static string? HandleOf(string? name, params ReadOnlySpan<string> secrets)
    {
        var known = new SentSecrets();
        foreach (string secret in secrets)
            known.Add(secret);
        return name is null || known.Meet(name) ? null : name;
    }

    /// <summary>Reads a body; an empty one says nothing.</summary>
    /// <param name="json">The body.</param>
    /// <param name="askedAt">The instant before the request was sent that this answers.</param>
    /// <param name="secrets">What was sent. What came is added.</param>
    public static VaultAnswer Read(ReadOnlySpan<byte> json, DateTimeOffset askedAt, SentSecrets secrets)
    {
        var answer = new VaultAnswer { AskedAt = askedAt };
        if (json.IsEmpty)
            return answer;
        string? requestId = null;
        var members = new JsonMembers(json, secrets);
        while (members.MoveNext())
        {
            switch (members.Name)
            {
                case "request_id": requestId = members.Text(); break;
                case "lease_id": answer.LeaseId = members.Text() is { Length: > 0 } id ? id : null; break;
                case "lease_duration": answer.LeaseDuration = members.WholeNumber(); break;
                case "renewable": answer.IsRenewable = members.Raw().SequenceEqual("true"u8); break;
                case "data" when !members.IsNull: answer.ReadSecret(members.Raw(), secrets); break;
                case "auth" when !members.IsNull: answer.ReadAuth(members.RawAsFarAsItGoes(), secrets); break;
                case "wrap_info" when !members.IsNull: answer.ReadWrapping(members.RawAsFarAsItGoes(), secrets); break;
                default: break;
            }
        }
        answer.Fault ??= members.Fault;
        answer.RequestId = requestId is null ? null : OuterText.Shown(requestId, maxLength: 100, secrets);
        return answer;
    }

    private void ReadSecret(ReadOnlySpan<byte> json, SentSecrets secrets)
    {
        if (!json.IsEmpty)   // cut off; a lease that was read before is still to be ended
            Secret = Encoding.UTF8.GetString(json);
        var members = new JsonMembers(json, secrets.AddTextsOf(json));
        while (members.MoveNext())
        {
            if (members.Name == "creation_path")
                CreationPath = members.TextOrNumber();
        }
        Fault ??= members.Fault is { } fault ? $"has a data that {fault}" : null;
    }

    private void ReadAuth(ReadOnlySpan<byte> json, SentSecrets secrets)
    {
        var members = new JsonMembers(json, secrets);
        while (members.MoveNext())
        {
            switch (members.Name)
            {
                case "client_token": ClientToken = members.Text(); break;
                case "accessor": Accessor = members.Text() is { Length: > 0 } accessor ? accessor : null; break;
                case "lease_duration": LeaseDuration = members.WholeNumber(); break;
                case "renewable": IsRenewable = members.Raw().SequenceEqual("true"u8); break;
                case "num_uses": Uses = members.WholeNumber() ?? 0; break;
                default: break;
            }
        }
        if (ClientToken is not null)
            secrets.Add(ClientToken);
        Fault ??= members.Fault is { } fault ? $"has an auth that {fault}" : null;
    }

    private void ReadWrapping(ReadOnlySpan<byte> json, SentSecrets secrets)
    {
        var members = new JsonMembers(json, secrets);
        while (members.MoveNext())
        {
            switch (members.Name)
            {
                case "token": WrappingToken = members.Text(); break;
                case "wrapped_accessor" when !members.IsNull: WrappedAccessor = members.Text(); break;
                default: break;
            }
        }
        if (WrappingToken is not null)
            secrets.Add(WrappingToken);
        Fault ??= members.Fault is { } fault ? $"has a wrap_info that {fault}" : null;
    }
}
