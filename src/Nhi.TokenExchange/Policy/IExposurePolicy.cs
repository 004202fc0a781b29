namespace Nhi.TokenExchange;

/// <summary>A policy that can say whether its rules look at the answers about a credential: then what they depend on is read before it decides.</summary>
internal interface IExposurePolicy
{
    bool LooksAtExposure { get; }
}
