namespace Nhi.TokenExchange;

/// <summary>What came back for one form, with what is known of the form. Disposed of with its message.</summary>
/// <param name="Message">The answer, read whole.</param>
/// <param name="Sent">What was sent in it that no message may show.</param>
/// <param name="AskedAt">The instant before the form was sent that this answers.</param>
/// <param name="MayRepeatALostOne">Whether an earlier try of the same form may have reached the issuer without its answer reaching us.</param>
internal readonly record struct OAuthResponse(HttpResponseMessage Message, SentSecrets Sent, DateTimeOffset AskedAt, bool MayRepeatALostOne) : IDisposable
{
    public ReadOnlySpan<byte> Body => ((BoundedContent)Message.Content).Bytes;

    public void Dispose() => Message.Dispose();
}
