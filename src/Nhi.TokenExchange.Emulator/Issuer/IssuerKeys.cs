using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>The keys of one issuer: one current key per algorithm, made when first needed, and the retired ones that are still published.</summary>
internal sealed class IssuerKeys : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, SigningKey> _current = new(StringComparer.Ordinal);
    private readonly List<SigningKey> _published = [];
    private readonly List<SigningKey> _gone = [];

    public SigningKey Current(string algorithm)
    {
        lock (_gate)
        {
            if (!_current.TryGetValue(algorithm, out SigningKey? key))
            {
                _current[algorithm] = key = SigningKey.Create(algorithm);
                _published.Add(key);
            }

            return key;
        }
    }

    /// <summary>The published key of that id; null when it is not (or no longer) among them. The id is compared, never interpreted.</summary>
    public SigningKey? Published(string keyId)
    {
        lock (_gate)
            return _published.Find(key => key.KeyId == keyId);
    }

    public void Rotate(bool keepOld)
    {
        lock (_gate)
        {
            string[] algorithms = [.. _current.Keys];
            if (!keepOld)
            {
                _gone.AddRange(_published);
                _published.Clear();
            }

            foreach (string algorithm in algorithms)
            {
                _current[algorithm] = SigningKey.Create(algorithm);
                _published.Add(_current[algorithm]);
            }
        }
    }

    // RFC 7517 §5.
    public JsonObject ToJwks()
    {
        lock (_gate)
            return new JsonObject { ["keys"] = new JsonArray([.. _published.Select(key => (JsonNode)key.ToJwk())]) };
    }

    public void Dispose()
    {
        lock (_gate)
        {
            foreach (SigningKey key in _published.Concat(_gone))
                key.Dispose();
        }
    }
}
