namespace Nhi.TokenExchange;

/// <summary>How a minted proof is signed; all but the first are what a server has to refuse.</summary>
public enum ProofSignature
{
    /// <summary>By the issuer's current key.</summary>
    Genuine,

    /// <summary>By a key of the same kind that the issuer never published, under the issuer's own key id.</summary>
    ForeignKey,

    /// <summary>Not at all: <c>alg</c> is <c>none</c> and the third part is empty.</summary>
    None,

    /// <summary>HS256 with the issuer's public key (its PEM text) as the secret: algorithm confusion.</summary>
    PublicKeyAsSecret,
}
