using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Http.Headers;
using Microsoft.AspNetCore.Http;

namespace Nhi.TokenExchange;

/// <summary>As much of Azure Blob Storage's REST API as one blob at a time needs: create a container; put, get and delete a block blob. In memory; no leases, lists, blocks or conditions.</summary>
/// <remarks>learn.microsoft.com/rest/api/storageservices: Create Container, Put Blob, Get Blob, Get Blob Properties, Delete Blob.</remarks>
internal sealed class BlobShelf(TimeProvider time)
{
    private readonly ConcurrentDictionary<string, Blob> _blobs = new(StringComparer.Ordinal);
    private int _changes;

    /// <summary>Whether a request speaks this API: its clients send a version with each request.</summary>
    public static bool Takes(EmulatorRequest request) => request.Http.Request.Headers.ContainsKey("x-ms-version");

    public EmulatorAnswer Answer(EmulatorRequest request, byte[] body)
    {
        HttpRequest http = request.Http.Request;
        EmulatorAnswer answer = (http.Method, http.Query["restype"].ToString()) switch
        {
            ("PUT", "container") => Described(EmulatorAnswer.Empty(201), NewTag(), time.GetUtcNow()),
            ("PUT", _) => Put(request, body),
            ("GET" or "HEAD", _) => Get(request),
            ("DELETE", _) => _blobs.TryRemove(request.Path, out _) ? EmulatorAnswer.Empty(202) : NotFound(),
            _ => Error("UnsupportedHttpVerb", 405),
        };
        answer.Headers["x-ms-version"] = http.Headers["x-ms-version"].ToString();
        return answer;
    }

    private EmulatorAnswer Put(EmulatorRequest request, byte[] body)
    {
        if (request.Http.Request.Headers["x-ms-blob-type"] != "BlockBlob" || request.Http.Request.Query.ContainsKey("comp"))
            return Error("UnsupportedHeader", 400);
        var blob = new Blob(body, request.Http.Request.ContentType ?? "application/octet-stream", NewTag(), time.GetUtcNow());
        _blobs[request.Path] = blob;
        return Described(EmulatorAnswer.Empty(201), blob.Tag, blob.At);
    }

    private EmulatorAnswer Get(EmulatorRequest request)
    {
        if (!_blobs.TryGetValue(request.Path, out Blob? blob))
            return NotFound();
        HttpRequest http = request.Http.Request;
        string range = http.Headers["x-ms-range"].ToString();
        (long from, long to) = (0, blob.Body.Length - 1);
        if (RangeHeaderValue.TryParse(range.Length > 0 ? range : http.Headers.Range.ToString(), out RangeHeaderValue? asked) && asked.Ranges.Count == 1 && blob.Body.Length > 0)
        {
            from = asked.Ranges.First().From ?? 0;
            to = Math.Min(asked.Ranges.First().To ?? to, to);
            if (from > to)
                return Error("InvalidRange", 416);
        }
        bool isPart = asked is not null && blob.Body.Length > 0;
        EmulatorAnswer answer = http.Method == "HEAD" ? EmulatorAnswer.Empty() : new EmulatorAnswer { Raw = blob.Body[(int)from..(int)(to + 1)], Status = isPart ? 206 : 200 };
        answer.ContentType = blob.Type;
        if (isPart)
            answer.Headers["Content-Range"] = string.Create(CultureInfo.InvariantCulture, $"bytes {from}-{to}/{blob.Body.Length}");
        answer.Headers["x-ms-blob-type"] = "BlockBlob";
        answer.Headers["Accept-Ranges"] = "bytes";
        return Described(answer, blob.Tag, blob.At);
    }

    private string NewTag() => string.Create(CultureInfo.InvariantCulture, $"\"0x{Interlocked.Increment(ref _changes):X16}\"");

    private static EmulatorAnswer Described(EmulatorAnswer answer, string tag, DateTimeOffset at)
    {
        answer.Headers["ETag"] = tag;
        answer.Headers["Last-Modified"] = at.ToString("r", CultureInfo.InvariantCulture);
        answer.Headers["x-ms-request-server-encrypted"] = "true";
        return answer;
    }

    private static EmulatorAnswer NotFound() => Error("BlobNotFound", 404);

    private static EmulatorAnswer Error(string code, int status)
    {
        EmulatorAnswer answer = EmulatorAnswer.Empty(status);
        answer.Headers["x-ms-error-code"] = code;
        return answer;
    }

    private sealed record Blob(byte[] Body, string Type, string Tag, DateTimeOffset At);
}
