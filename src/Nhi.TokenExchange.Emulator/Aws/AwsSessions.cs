using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace Nhi.TokenExchange;

/// <summary>One session that the emulated STS gave.</summary>
internal sealed record AwsSession(string AccessKeyId, string SecretAccessKey, string SessionToken, string Arn, string UserId, DateTimeOffset EndsAt);

/// <summary>The sessions by their access key ids.</summary>
internal sealed class AwsSessions(string canary)
{
    private const int SecretLength = 40;

    private readonly ConcurrentDictionary<string, AwsSession> _sessions = new(StringComparer.Ordinal);

    public AwsSession Add(string arn, string userId, DateTimeOffset endsAt)
    {
        var session = new AwsSession($"ASIA{RandomNumberGenerator.GetHexString(16)}", $"{canary}{Random(SecretLength)}"[..SecretLength], $"IQoJ{canary}{Random(400)}==", arn, userId, endsAt);
        _sessions[session.AccessKeyId] = session;
        return session;
    }

    public AwsSession? Find(string accessKeyId) => _sessions.GetValueOrDefault(accessKeyId);

    private static string Random(int length) => RandomNumberGenerator.GetHexString(length, lowercase: true);
}
