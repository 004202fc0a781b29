using System.Text.Json;

namespace Nhi.TokenExchange.Soak;

/// <summary>A file of JSON lines, written from any thread.</summary>
internal sealed class RecordFile(string path) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly StreamWriter _writer = new(path, append: false);

    public void Add<T>(T record)
    {
        string line = JsonSerializer.Serialize(record);
        lock (_gate)
            _writer.WriteLine(line);
    }

    public static IReadOnlyList<T> Read<T>(string path) => [.. File.ReadLines(path).Select(line => JsonSerializer.Deserialize<T>(line)!)];

    public void Dispose() => _writer.Dispose();
}
