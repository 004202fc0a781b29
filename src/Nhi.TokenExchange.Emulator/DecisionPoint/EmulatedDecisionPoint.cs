using System.Collections.Concurrent;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>A policy decision point that asks a rule of the test, and speaks two languages: the OpenID AuthZEN Authorization API 1.0 with its metadata, and Open Policy Agent's data API.</summary>
public sealed class EmulatedDecisionPoint
{
    private readonly ConcurrentQueue<string> _questions = new();
    private readonly string _origin;
    private Func<JsonObject, EmulatedDecision?> _rule = _ => new EmulatedDecision { IsPermitted = true };

    internal EmulatedDecisionPoint(string origin) => _origin = origin;

    /// <summary>The address, for both languages; for AuthZEN it is the identifier too.</summary>
    public Uri Address => new(_origin);

    /// <summary>The path of the rule in the data API: its result is an object. Any other path is undefined.</summary>
    public string OpaPath { get; } = "tokens/decision";

    /// <summary>Decides: gets the question (subject, action, resource, context), gives a decision. Null: undefined, which AuthZEN says as a deny. What it throws is a status 500. Default: a permit of everything.</summary>
    public Func<JsonObject, EmulatedDecision?> Rule
    {
        get => _rule;
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            _rule = value;
        }
    }

    /// <summary>All that was asked, as it came, in order.</summary>
    public IReadOnlyList<string> Questions => [.. _questions];

    internal static EmulatorEndpoint? Find(string path) => path switch
    {
        "/.well-known/authzen-configuration" => EmulatorEndpoint.AuthZenMetadata,
        "/access/v1/evaluation" => EmulatorEndpoint.AuthZenEvaluation,
        _ => path.StartsWith("/v1/data/", StringComparison.Ordinal) ? EmulatorEndpoint.OpaData : null,
    };

    internal async Task<EmulatorAnswer> AnswerAsync(EmulatorRequest request)
    {
        if (request.Endpoint == EmulatorEndpoint.AuthZenMetadata)
            return AuthZenAnswers.Metadata(_origin);
        using var reader = new StreamReader(request.Http.Request.Body);
        string body = await reader.ReadToEndAsync(request.Http.RequestAborted).ConfigureAwait(false);
        _questions.Enqueue(body);
        return request.Endpoint == EmulatorEndpoint.AuthZenEvaluation ? AuthZenAnswers.Evaluation(request, body, _rule) : OpaAnswers.Data(request, body, OpaPath, _rule);
    }
}
