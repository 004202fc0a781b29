namespace Nhi.TokenExchange;

/// <summary>One question on its way to a decision point.</summary>
/// <param name="Question">The JSON object that is asked; see <see cref="DecisionQuestion"/>.</param>
/// <param name="RequestId">Our name for the request, sent as <c>X-Request-ID</c>.</param>
/// <param name="Channel">What sends it.</param>
/// <param name="Time">The clock.</param>
/// <param name="Deadline">How long it may take.</param>
internal sealed record DecisionCall(ReadOnlyMemory<byte> Question, string RequestId, HttpMessageInvoker Channel, TimeProvider Time, TimeSpan Deadline);
