namespace Nhi.TokenExchange;

/// <summary>A condition on the answer to one of the three questions about a credential. There is always an answer.</summary>
internal sealed class ExposureCondition(string question, Func<CredentialExposure, ExposureAnswer> answerOf, bool isYes, PolicyPlace place) : PolicyCondition
{
    /// <summary>The questions as documents name them, under <c>when.exposure</c>.</summary>
    public static IReadOnlyList<(string Name, Func<CredentialExposure, ExposureAnswer> AnswerOf)> Questions { get; } =
    [
        ("reusableAfterJob", exposure => exposure.ReusableAfterJob),
        ("visibleToOperators", exposure => exposure.VisibleToOperators),
        ("tiedToHuman", exposure => exposure.TiedToHuman),
    ];

    public override string Name => $"exposure.{question}";

    public bool IsYes => isYes;

    public PolicyPlace Place => place;

    public override string Expected => isYes ? "yes" : "no";

    public override bool HoldsFor(AccessRequest request) => HoldsFor(request.Exposure);

    public bool HoldsFor(CredentialExposure exposure) => AnswerIn(exposure).IsYes == isYes;

    public ExposureAnswer AnswerIn(CredentialExposure exposure) => answerOf(exposure);

    public override string Presented(AccessRequest request) => answerOf(request.Exposure).ToString();

    public override bool Covers(PolicyCondition other) => other is ExposureCondition exposure && exposure.Name == Name && exposure.IsYes == isYes;
}
